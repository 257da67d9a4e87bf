import { setTimeout as pause } from 'node:timers/promises';
import { LOCKS } from '../workload.ts';
import { leftovers, Thread, type ThreadOptions } from './thread.ts';

// A fresh process that reads everything while all others rest. At the end, when there are none: until nothing is left
// over of the killed; whoever waits for this process sets the limit.

export interface VerifierOptions extends ThreadOptions {
  readonly isEnd: boolean;
}

const options = JSON.parse(process.argv[2] ?? '{}') as VerifierOptions;
const thread = new Thread(options);
await thread.readAll();
await thread.readLocked(LOCKS);
while (options.isEnd && leftovers(options.root).length > 0) await pause(20);
await thread.close();
