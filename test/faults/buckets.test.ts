import { scenarios } from '../crash/support/scenarios.ts';
import { namesOfBuckets, testFaults } from './fault-tests.ts';

testFaults(scenarios.buckets.slice(1), namesOfBuckets);
