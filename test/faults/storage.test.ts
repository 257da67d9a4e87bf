import { scenarios } from '../crash/support/scenarios.ts';
import { namesOfStorage, testFaults } from './fault-tests.ts';

testFaults(scenarios.storage, namesOfStorage);
