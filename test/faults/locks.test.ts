import { scenarios } from '../crash/support/scenarios.ts';
import { namesOfLocks, testFaults } from './fault-tests.ts';

testFaults(scenarios.locks, namesOfLocks);
