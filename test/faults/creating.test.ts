import { scenarios } from '../crash/support/scenarios.ts';
import { namesOfFiles, testFaults } from './fault-tests.ts';

testFaults(scenarios.writing.slice(0, 2), namesOfFiles);
