// Carries out a scenario on a root, and kills itself at one system call. Says what was acknowledged.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { encrypted, isEncrypted } from '../../support/sealed.ts';
import { StorageHost } from '../../../src/host/storage-host.ts';
import { bytesOf, handleCalls, isChange, isWrite, pathOf, type Call, type Fault } from './fault-layer.ts';
import type { KillPoint } from './kill.ts';
import { bucketOf, namesIn, origin, scenarioNamed, until } from './scenarios.ts';

const [name = '', root = '', point = 'null', haste] = process.argv.slice(2);
const killPoint = JSON.parse(point) as KillPoint | null;
const calls: { name: string; bytes: number }[] = [];

/** Where the parent listens; not a call that the layer counts. */
function say(message: unknown): void {
  fs.writeSync(3, `${JSON.stringify(message)}\n`);
}

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

let last: Call | null = null;

function before(call: Call): Fault | undefined {
  if (!isChange(call)) return undefined;
  const isDue = calls.length === killPoint?.call;
  calls.push({ name: call.name, bytes: isWrite(call) ? bytesOf(call) : 0 });
  if (!isDue) return undefined;
  if (killPoint.when === 'before') die();
  last = call;
  return killPoint.when === 'within' && isWrite(call) ? { bytes: half(call) } : undefined;
}

/** A kill never cuts the copy of a page, and an encrypted block is one: of those in place whole ones are written. */
function half(call: Call): number {
  const bytes = Math.floor(bytesOf(call) / 2);
  const [descriptor] = call.parameters;
  const isInPlace = isEncrypted && typeof descriptor === 'number' && pathOf(descriptor)?.includes('/files.') === true;
  return isInPlace ? bytes - (bytes % 4096) : bytes;
}

function after(call: Call): void {
  if (call === last) die();
}

handleCalls(root, {});
const host = new StorageHost({ root, ...encrypted });
const scenario = scenarioNamed(name);
const steps = await scenario.start(host.origin(origin));
handleCalls(root, { before, after });
for (const step of steps) {
  // What the tests must find out: that something was promised before it was done.
  if (haste === 'hasty') say('acknowledged');
  await step();
  if (haste !== 'hasty') say('acknowledged');
}
if (scenario.hasTrash === true) await drain();
if (scenario.hasDoomed === true) await host.close();
handleCalls(root, null);
say({ calls });
process.exit(0);

/** The deletion of trash goes on in the background: its calls count as well. */
async function drain(): Promise<void> {
  const trash = path.join(bucketOf(root), 'trash');
  const isEmpty = (): boolean => {
    handleCalls(root, null);
    const empty = namesIn(trash).length === 0;
    handleCalls(root, { before, after });
    return empty;
  };
  await until(isEmpty, 'for what was removed to be deleted');
}
