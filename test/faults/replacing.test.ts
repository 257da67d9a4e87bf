import { scenarios } from '../crash/support/scenarios.ts';
import { namesOfFiles, testFaults } from './fault-tests.ts';

testFaults(scenarios.writing.slice(2), namesOfFiles);
