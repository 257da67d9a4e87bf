import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StorageHost } from '../../src/index.ts';
import type { ActorOptions } from './actor-fixture.ts';
import { VERIFIER } from './check.ts';
import { HistoryLog } from './history.ts';
import { Random } from '../support/random.ts';
import { Recorder } from './recorder.ts';
import { CELLS, FILES, KEYS, LOCKS, ORIGINS, Workload } from './workload.ts';

// Once all others have ended: reads everything, gets every lock, and waits until nothing is left over of the killed.

const options = JSON.parse(process.argv[2] ?? '{}') as ActorOptions;
const recorder = new Recorder(VERIFIER, new HistoryLog(options.logs, VERIFIER));
const host = new StorageHost({ root: options.root, ...options.host });

async function verify(work: Workload): Promise<void> {
  work.listItems();
  for (const key of KEYS) work.getItem(key);
  await work.listFiles();
  for (const file of FILES) await work.readFile(file);
  for (const cell of CELLS) if (!(await work.useCell(cell, false))) throw new Error(`${cell} is locked by nobody`);
  for (const lock of LOCKS) await work.takeLock(lock);
}

/** Whatever is in `swap/` and `trash/`, of all origins. */
function leftovers(): string[] {
  const origins = path.join(options.root, 'origins');
  return fs.readdirSync(origins).flatMap((origin) =>
    ['swap', 'trash'].flatMap((folder) => fs.readdirSync(path.join(origins, origin, 'default', folder)).map((name) => `${folder}/${name}`)),
  );
}

for (const origin of ORIGINS) await verify(new Workload(host.origin(origin), recorder, new Random(options.seed)));
// Whoever waits for this process sets the limit.
while (leftovers().length > 0) await pause(20);
await host.close();
