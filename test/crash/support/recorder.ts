// Goes through a scenario on a root in an empty directory, and writes down what happened to the disk.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { Durability } from '../../../src/disk/root/durable.ts';
import { StorageHost } from '../../../src/host/storage-host.ts';
import { encrypted } from '../../support/sealed.ts';
import { DiskLog } from './disk-log.ts';
import { handleCalls } from './fault-layer.ts';
import { origin, scenarioNamed } from './scenarios.ts';

const [name = '', directory = '', outcome = '', before, after] = process.argv.slice(2) as [string, string, string, Durability, Durability];
const root = path.join(directory, 'root');
const scenario = scenarioNamed(name);
const log = new DiskLog(directory);
handleCalls(directory, { after: (call, result) => log.note(call, result) });

if (scenario.prepare !== undefined) {
  const host = new StorageHost({ root, durability: before, ...encrypted });
  await scenario.prepare(host.origin(origin));
  await host.close();
}
log.mark('prepared');
const host = new StorageHost({ root, durability: after, ...encrypted });
for (const step of await scenario.start(host.origin(origin))) {
  await step();
  log.mark('acknowledged');
}
handleCalls(directory, null);
fs.writeFileSync(outcome, JSON.stringify(log.history));
process.exit(0);
