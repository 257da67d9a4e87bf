import assert from 'node:assert/strict';
import type { HubLog } from '../hub.ts';
import { contractTest } from './contract.ts';
import { notRun } from './not-run.ts';
import { assertCode, assertRejects, bytesOf, entry, newName, type Stage } from './stage.ts';
import { blobName } from './blobs.ts';

async function requireNotifying(stage: Stage): Promise<void> {
  const { capabilities } = await stage.client();
  if (!capabilities.notifies) notRun('this engine does not notify');
}

/** One call of each method that asks the hub. */
const calls: Readonly<Record<string, (log: HubLog) => Promise<unknown>>> = {
  head: (log) => log.head(),
  append: (log) => log.append([entry('a')]),
  read: (log) => log.read(0, 1),
  snapshot: (log) => log.snapshot(),
  putSnapshot: (log) => log.putSnapshot({ position: 0, bytes: new Uint8Array(1) }),
  trim: (log) => log.trim(0),
  putBlob: (log) => log.putBlob(blobName(bytesOf('b')), bytesOf('b')),
  getBlob: (log) => log.getBlob(blobName(bytesOf('b'))),
  hasBlobs: (log) => log.hasBlobs([blobName(bytesOf('b'))]),
};

export const living = [
  contractTest('the capabilities make sense, and the name tells the engine', async (stage) => {
    const { hub, capabilities } = await stage.client();
    assert.ok(hub.name.length > 0);
    assert.ok(['killed', 'synced', 'replicated'].includes(capabilities.durability));
    assert.ok(['always', 'for-a-time', 'never'].includes(capabilities.dedupe));
    assert.equal(typeof capabilities.notifies, 'boolean');
    assert.ok(capabilities.maxEntryBytes >= 2 ** 16, 'an entry holds 64 KiB at least');
    assert.ok(capabilities.maxBlobBytes >= 2 ** 20, 'a blob holds 1 MiB at least');
    for (const warning of capabilities.warnings) assert.match(warning, /\w.*\.$/s, 'a warning is a sentence');
  }),

  contractTest('subscribers are called when anybody appends', async (stage) => {
    await requireNotifying(stage);
    const [log, other] = await stage.pair();
    let here = 0;
    let there = 0;
    log.subscribe(() => (here += 1));
    other.subscribe(() => (there += 1));
    await stage.until(() => here > 0 && there > 0, 'both subscribers were called', () => log.append([entry('a')]));
    await stage.until(() => here > 1 && there > 1, 'both subscribers were called again', () => other.append([entry('b')]));
  }),

  contractTest('after a call of a subscriber the entries can be read', async (stage) => {
    await requireNotifying(stage);
    const [log, other] = await stage.pair();
    let news = 0;
    let read = 0;
    log.subscribe(() => (news += 1));
    await stage.until(() => news > 0, 'the subscriber was called', () => other.append([entry('first')]));
    await stage.until(() => read > 0, 'the entry was read', async () => (read = (await log.read(0, 10)).length));
  }),

  contractTest('whoever has unsubscribed is not called any more', async (stage) => {
    await requireNotifying(stage);
    const [log, other] = await stage.pair();
    let ended = 0;
    let going = 0;
    const unsubscribe = log.subscribe(() => (ended += 1));
    log.subscribe(() => (going += 1));
    await stage.until(() => ended > 0 && going > 0, 'both subscribers were called', () => other.append([entry('a')]));
    unsubscribe();
    unsubscribe();
    const before = { ended, going };
    await stage.until(() => going > before.going + 2, 'the other subscriber was called', () => other.append([entry('b')]));
    assert.equal(ended, before.ended);
  }),

  contractTest('after close every call rejects with closed', async (stage) => {
    const { hub } = await stage.client();
    const log = hub.log(newName());
    await log.append([entry('a')]);
    await hub.close();
    await hub.close();
    for (const [name, call] of Object.entries(calls)) await assertRejects(call(log), 'closed', `${name} after close`);
    await assertRejects(calls['head']?.(hub.log(newName())) ?? Promise.resolve(), 'closed', 'head of a log that was asked for after close');
    await assertRejects(hub.connect(), 'closed', 'connect after close');
    log.subscribe(() => assert.fail('a subscriber of a closed hub was called'))();
  }),

  contractTest('what is under way at close comes to its end, or rejects with closed', async (stage) => {
    const { hub } = await stage.client();
    const log = hub.log(newName());
    const running = Object.entries(calls).map(async ([name, call]) => {
      const error: unknown = await call(log).then(() => null, (reason: unknown) => reason);
      if (error !== null) assertCode(error, 'closed', `${name} under way at close`);
    });
    await hub.close();
    await Promise.all(running);
  }),

  contractTest('closing one client leaves the others alone', async (stage) => {
    const name = newName();
    const one = await stage.client();
    const log = await stage.log(name);
    await one.hub.log(name).append([entry('a')]);
    await one.hub.close();
    await log.append([entry('b')]);
    assert.equal((await log.head()).position, 2);
  }),
];
