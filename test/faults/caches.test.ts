import { scenarios } from '../crash/support/scenarios.ts';
import { namesOfCaches, testFaults } from './fault-tests.ts';

testFaults(scenarios.caches.slice(1), namesOfCaches);
