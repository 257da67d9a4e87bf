import assert from 'node:assert/strict';
import { randomUuid } from '../../runtime/random.ts';
import { nextTurn } from '../../runtime/timers.ts';
import type { HubLog, NewEntry } from '../hub.ts';
import { contractTest } from './contract.ts';
import { notRun } from './not-run.ts';
import { assertBytes, assertRejects, bytesOf, entry, noise, readAll, readTexts, textOf } from './stage.ts';

/** More than this is not sent just to see where a limit is. */
const MOST_BYTES = 2 ** 26;

const CLIENTS = 8;
const BATCHES = 12;

export const appending = [
  contractTest('a log that nobody appended to is empty', async (stage) => {
    const log = await stage.log();
    const { epoch, position, first } = await log.head();
    assert.deepEqual({ position, first }, { position: 0, first: 1 });
    assert.ok(epoch.length > 0);
    assert.deepEqual(await log.read(0, 10), []);
  }),

  contractTest('entries are read in the order in which they were appended, from position 1 on, without gaps', async (stage) => {
    const [log, other] = await stage.pair();
    await log.append([entry('a')]);
    await other.append([entry('b'), entry('c'), entry('d')]);
    await log.append([entry('e')]);
    const entries = await readAll(other);
    assert.deepEqual(entries.map(({ position, bytes }) => `${position} ${textOf(bytes)}`), ['1 a', '2 b', '3 c', '4 d', '5 e']);
    const { position, first } = await log.head();
    assert.deepEqual({ position, first }, { position: 5, first: 1 });
  }),

  contractTest('append returns a position at or after that of its last entry', async (stage) => {
    const log = await stage.log();
    assert.ok((await log.append([entry('a'), entry('b')])) >= 2);
    const returned = await log.append([entry('c')]);
    assert.ok(Number.isSafeInteger(returned) && returned >= 3, `it returned ${returned}`);
  }),

  contractTest('appending nothing changes nothing', async (stage) => {
    const log = await stage.log();
    await log.append([]);
    await log.append([entry('a')]);
    assert.ok((await log.append([])) >= 1);
    assert.deepEqual(await readTexts(log), ['a']);
  }),

  contractTest('entries come back byte for byte, be they empty or hold any bytes', async (stage) => {
    const log = await stage.log();
    const contents = [new Uint8Array(0), Uint8Array.from({ length: 256 }, (_, index) => index), bytesOf("'\\x00\0\n"), noise(50_000)];
    await log.append(contents.map((bytes) => ({ ...entry(''), bytes })));
    const entries = await readAll(log);
    assert.equal(entries.length, contents.length);
    contents.forEach((bytes, index) => assertBytes(entries[index]?.bytes, bytes, `entry ${index + 1}`));
  }),

  contractTest('what was appended stays the same when the arrays that were given or read are written over', async (stage) => {
    const log = await stage.log();
    const given = bytesOf('keep me');
    const appended = log.append([{ ...entry(''), bytes: given }]);
    await appended;
    given.fill(0);
    for (const { bytes } of await log.read(0, 1)) bytes.fill(1);
    assert.deepEqual(await readTexts(log), ['keep me']);
  }),

  contractTest('an entry may be as large as the capabilities say', async (stage) => {
    const { hub, capabilities } = await stage.client();
    const log = hub.log(`contract ${randomUuid()}`);
    const bytes = noise(Math.min(capabilities.maxEntryBytes, MOST_BYTES));
    await log.append([{ ...entry(''), bytes }]);
    assertBytes((await readAll(log))[0]?.bytes, bytes, 'the entry');
  }),

  contractTest('an entry that is too large is refused, and nothing of what was appended with it is there', async (stage) => {
    const { hub, capabilities } = await stage.client();
    if (capabilities.maxEntryBytes > MOST_BYTES) notRun(`the largest entry has ${capabilities.maxEntryBytes} bytes`);
    const log = hub.log(`contract ${randomUuid()}`);
    const huge = { ...entry(''), bytes: new Uint8Array(capabilities.maxEntryBytes + 1) };
    await assertRejects(log.append([entry('before'), huge, entry('after')]), 'hub-too-large', 'an entry of one byte too many');
    assert.equal((await log.head()).position, 0);
    await log.append([entry('next')]);
    assert.deepEqual(await readTexts(log), ['next']);
  }),

  contractTest('what eight clients append at once gets one order without gaps, each batch in one piece, each client in its order', async (stage) => {
    const logs = await stage.logs(CLIENTS);
    let writing = true;
    const appended = Promise.all(logs.map(appendBatches)).finally(() => (writing = false));
    const [watched] = await Promise.all([watch(logs[0] as HubLog, () => writing), appended]);
    const texts = await readTexts(logs[1] as HubLog);
    assertWhole(texts);
    assert.deepEqual(watched, texts, 'a reader saw another order while it came about');
  }),

  contractTest('calls that overlap in one client are all taken', async (stage) => {
    const log = await stage.log();
    await Promise.all(Array.from({ length: 50 }, (_, index) => log.append([entry(`${index} a`), entry(`${index} b`)])));
    const texts = await readTexts(log);
    assert.equal(new Set(texts).size, 100);
    texts.forEach((text, index) => index % 2 === 1 && assert.equal(text, texts[index - 1]?.replace('a', 'b')));
  }),
];

async function appendBatches(log: HubLog, client: number): Promise<void> {
  for (let batch = 0; batch < BATCHES; batch++) {
    const entries: NewEntry[] = [];
    for (let index = 0; index <= batch % 3; index++) entries.push(entry(`${client} ${batch} ${index}`));
    await log.append(entries);
  }
}

/** Reads along while others append; a position that was read once can never get another entry. */
async function watch(log: HubLog, writing: () => boolean): Promise<string[]> {
  const seen: string[] = [];
  for (let more = true; more; ) {
    more = writing();
    seen.push(...(await readTexts(log, seen.length)));
    // An engine in memory would never let others have their turn.
    await nextTurn();
  }
  return seen;
}

/** Every entry of every batch, once, batches in one piece and in their client's order. */
function assertWhole(texts: readonly string[]): void {
  const next = new Array<number>(CLIENTS).fill(0);
  for (let at = 0; at < texts.length; ) {
    const [client = 0] = (texts[at] ?? '').split(' ').map(Number);
    const batch = next[client] ?? 0;
    for (let index = 0; index <= batch % 3; index++) assert.equal(texts[at++], `${client} ${batch} ${index}`, `after ${at - 1} entries`);
    next[client] = batch + 1;
  }
  assert.deepEqual(next, new Array<number>(CLIENTS).fill(BATCHES), 'how many batches of each client are there');
}
