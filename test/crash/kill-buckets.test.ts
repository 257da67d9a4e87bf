import { testKills } from './support/kill-tests.ts';
import { scenarios } from './support/scenarios.ts';

testKills(scenarios.buckets);
