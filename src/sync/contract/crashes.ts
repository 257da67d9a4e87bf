import assert from 'node:assert/strict';
import { nextTurn } from '../../runtime/timers.ts';
import type { HubCapabilities, HubLog, NewEntry } from '../hub.ts';
import { contractTest } from './contract.ts';
import { assertBytes, assertRejects, bytesOf, entry, newName, noise, readTexts, type Stage } from './stage.ts';
import { blobName } from './blobs.ts';

const WRITERS = 4;
const CRASHES = 3;

/** Steps that each writer has done between two crashes. */
const BETWEEN_CRASHES = 15;

/** Does step after step, and counts those that were acknowledged. */
class Writer {
  acknowledged = 0;
  readonly #step: (count: number) => Promise<unknown>;

  /** @param step does the step of a number, as often as it takes */
  constructor(step: (count: number) => Promise<unknown>) {
    this.#step = step;
  }

  async run(going: () => boolean): Promise<void> {
    while (going()) {
      await this.#step(this.acknowledged);
      this.acknowledged++;
      // An engine in memory would never let timers have their turn.
      await nextTurn();
    }
  }
}

/** Appends batch after batch, the same entries for every attempt. */
function appender(stage: Stage, log: HubLog, number: number): Writer {
  const batch = (count: number): NewEntry[] =>
    ['a', 'b'].map((part) => ({ id: `writer-${number}.${count}${part}`, bytes: bytesOf(`${number} ${count} ${part}`) }));
  return new Writer((count) => stage.persist(() => log.append(batch(count))));
}

/** Of a size of its own for each position, so that no part of one can pass for another. */
const stateAt = (position: number): Uint8Array => noise(120_000 + position);

/** Appends, then puts a blob and a snapshot, again and again. */
function putter(stage: Stage, log: HubLog): Writer {
  return new Writer(async (count) => {
    const position = count + 1;
    const bytes = stateAt(position);
    const next = entry(String(position));
    await stage.persist(() => log.append([next]));
    await stage.persist(() => log.putBlob(blobName(bytes), bytes));
    await stage.persist(() => log.putSnapshot({ position, bytes }));
  });
}

/** Batches are in one piece; each writer's are all there and in order; a repetition of the last one may be. */
function assertHistory(texts: readonly string[], writers: readonly Writer[], { dedupe }: HubCapabilities): void {
  const seen = writers.map(() => 0);
  for (let at = 0; at < texts.length; at += 2) {
    const [writer = 0, count = 0] = (texts[at] ?? '').split(' ').map(Number);
    assert.deepEqual(texts.slice(at, at + 2), [`${writer} ${count} a`, `${writer} ${count} b`], 'a batch is in one piece');
    const expected = seen[writer] ?? 0;
    if (dedupe === 'always') assert.equal(count, expected, `batches of writer ${writer}, each once`);
    else assert.ok(count === expected || count === expected - 1, `batch ${count} of writer ${writer} came after ${expected - 1}`);
    seen[writer] = Math.max(expected, count + 1);
  }
  assert.deepEqual(seen, writers.map(({ acknowledged }) => acknowledged), 'how many batches of each writer are there');
}

/** Lets all write while the server is killed again and again. */
async function writeAmid(stage: Stage, writers: readonly Writer[], crash: () => Promise<void>): Promise<void> {
  let going = true;
  const running = Promise.all(writers.map((writer) => writer.run(() => going)));
  try {
    for (let count = 1; count <= CRASHES; count++) {
      const far = writers.map(({ acknowledged }) => acknowledged + BETWEEN_CRASHES);
      const arrived = stage.until(() => writers.every(({ acknowledged }, index) => acknowledged >= (far[index] ?? 0)), 'every writer had written');
      await Promise.race([arrived, running]);
      await crash();
    }
  } finally {
    going = false;
    await running;
  }
}

export const crashes = [
  contractTest('everything that was acknowledged outlives crashes amid appends, in order, batches in one piece', async (stage) => {
    const { crash } = stage;
    const name = newName();
    const clients = await Promise.all(Array.from({ length: WRITERS }, () => stage.client()));
    const writers = clients.map(({ hub }, number) => appender(stage, hub.log(name), number));
    await writeAmid(stage, writers, crash);
    const [one] = clients;
    assert.ok(one !== undefined);
    assertHistory(await readTexts(await stage.log(name)), writers, one.capabilities);
  }),

  contractTest('blobs and snapshots that were put amid crashes are whole', async (stage) => {
    const { crash } = stage;
    const name = newName();
    const writer = putter(stage, await stage.log(name));
    await writeAmid(stage, [writer], crash);
    const log = await stage.log(name);
    for (let position = 1; position <= writer.acknowledged; position++) {
      assertBytes(await log.getBlob(blobName(stateAt(position))), stateAt(position), `blob ${position}`);
    }
    const kept = await log.snapshot();
    assert.equal(kept?.position, writer.acknowledged);
    assertBytes(kept.bytes, stateAt(writer.acknowledged), 'the snapshot');
  }),

  contractTest('a log is the same after a crash: epoch, positions, trim, snapshot, blobs', async (stage) => {
    const { crash } = stage;
    const name = newName();
    const log = await stage.log(name);
    const blob = noise(100_000);
    for (let number = 1; number <= 5; number++) await log.append([entry(String(number))]);
    await log.putSnapshot({ position: 4, bytes: noise(70_000) });
    await log.trim(3);
    await log.putBlob(blobName(blob), blob);
    const head = await log.head();
    await crash();
    assert.deepEqual(await stage.persist(() => log.head()), head);
    const fresh = await stage.log(name);
    assert.deepEqual(await fresh.head(), head);
    assert.deepEqual(await readTexts(fresh, 3), ['4', '5']);
    await assertRejects(fresh.read(2, 10), 'hub-trimmed', 'read of what was trimmed before the crash');
    const snapshot = await fresh.snapshot();
    assert.equal(snapshot?.position, 4);
    assertBytes(snapshot.bytes, noise(70_000), 'the snapshot');
    assertBytes(await fresh.getBlob(blobName(blob)), blob, 'the blob');
  }),

  contractTest('a log that was trimmed to its head goes on from there after a crash', async (stage) => {
    const { crash } = stage;
    const log = await stage.log();
    await log.append([entry('1')]);
    await log.append([entry('2')]);
    await log.putSnapshot({ position: 2, bytes: bytesOf('two') });
    await log.trim(2);
    await crash();
    const { position, first } = await stage.persist(() => log.head());
    assert.deepEqual({ position, first }, { position: 2, first: 3 });
    await log.append([entry('3')]);
    assert.deepEqual(await readTexts(log, 2), ['3']);
  }),

  contractTest('ids are remembered over a crash where the engine always remembers them', async (stage) => {
    const { crash } = stage;
    const { hub, capabilities } = await stage.client();
    const log = hub.log(newName());
    const entries = [entry('a'), entry('b')];
    await log.append(entries);
    await crash();
    await stage.persist(() => log.append(entries));
    const texts = await readTexts(log);
    if (capabilities.dedupe === 'always') assert.deepEqual(texts, ['a', 'b']);
    else assert.deepEqual(texts.slice(0, 2), ['a', 'b']);
  }),

  contractTest('subscriptions take up their work again after a crash', async (stage) => {
    const { crash } = stage;
    const { hub, capabilities } = await stage.client();
    const name = newName();
    const log = hub.log(name);
    const other = await stage.log(name);
    let news = 0;
    log.subscribe(() => (news += 1));
    await log.append([entry('a')]);
    await crash();
    const before = news;
    await stage.persist(() => other.append([entry('b')]));
    // One call when it is back is a call for whatever may have come; those after it must be for what comes.
    if (capabilities.notifies) await stage.until(() => news > before + 2, 'the subscriber was called again', () => other.append([entry('c')]));
  }),
];
