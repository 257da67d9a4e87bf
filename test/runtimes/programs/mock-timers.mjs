// Node's own fakes, which are put in `node:timers` too.
import { mock } from 'node:test';

mock.timers.enable();
