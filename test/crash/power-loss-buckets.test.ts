import { testPowerLosses } from './support/power-loss-tests.ts';
import { scenarios } from './support/scenarios.ts';

testPowerLosses(scenarios.buckets.filter(({ hasDoomed }) => hasDoomed !== true));
