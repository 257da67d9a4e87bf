import { testPowerLossAfterRelaxed } from './support/power-loss-tests.ts';
import { scenarioNamed } from './support/scenarios.ts';

testPowerLossAfterRelaxed(['setItem, removeItem and clear', 'a writable that replaces', 'locks.request'].map(scenarioNamed));
