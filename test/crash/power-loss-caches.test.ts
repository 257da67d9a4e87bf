import { testPowerLosses } from './support/power-loss-tests.ts';
import { scenarios } from './support/scenarios.ts';

testPowerLosses(scenarios.caches.slice(0, 4));
