import { createSecretKey } from 'node:crypto';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import type { RootKeySource } from '../../src/disk/encryption/root-key-source.ts';
import { sha256, hex } from '../../src/sync/replicator/digest.ts';
import { Seal } from '../../src/sync/sealed/seal.ts';
import { SealedConnection } from '../../src/sync/sealed/sealed-connection.ts';
import type { SealedLog } from '../../src/sync/sealed/sealed-log.ts';
import { MemoryEngine, memoryHub, type MemoryLog } from '../support/memory-hub.ts';

const ORIGIN = 'https://canary.example';
const CANARY = Buffer.from('canary-content');

/** The key of a region, as a host's option gives it. */
export function sourceWith(byte: number, previous: readonly number[] = [], origin = ORIGIN): RootKeySource {
  const [active, ...others] = [byte, ...previous].map((each) => createSecretKey(Buffer.alloc(32, each)));
  if (active === undefined) throw new Error('no key');
  return { origin, prepare: () => Promise.resolve(), keysFor: () => ({ active, kms: new Uint8Array(0), all: [active, ...others] }) };
}

class Region {
  readonly connection: SealedConnection;
  readonly discords: string[] = [];
  readonly log: SealedLog;

  constructor(engine: MemoryEngine, source = sourceWith(7)) {
    this.connection = new SealedConnection(memoryHub(engine), source, { onDiscord: (sentence) => this.discords.push(sentence) });
    this.log = this.connection.log(`${source.origin} files`);
  }

  append(...texts: readonly string[]): Promise<number> {
    return this.log.append(texts.map((text) => ({ id: `${text}.${Math.random().toString(36).slice(2)}`, bytes: Buffer.from(text) })));
  }

  async texts(): Promise<string[]> {
    return (await this.log.read(0, 100)).map(({ bytes }) => Buffer.from(bytes).toString());
  }
}

/** The log behind the only one that a region has written to. */
function behind(engine: MemoryEngine): MemoryLog {
  const [, log] = engine.logs.values();
  if (log === undefined) throw new Error('there is no log');
  return log;
}

export function repaired(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 4;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, crc32(bytes, 0, end), true);
  return bytes;
}

/** The bytes with each byte changed in turn, and the checksum as it has to be. */
function* changed(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length - 4; at++) {
    const copy = Uint8Array.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 0x10;
    yield repaired(copy);
  }
}

async function opens(read: () => Promise<unknown>): Promise<boolean> {
  try {
    await read();
    return true;
  } catch {
    return false;
  }
}

async function written(): Promise<{ engine: MemoryEngine; eu: Region; us: Region; hub: MemoryLog; blob: string }> {
  const engine = new MemoryEngine();
  const [eu, us] = [new Region(engine), new Region(engine)];
  await eu.append(`${CANARY.toString()} 1`, '2');
  await eu.log.putSnapshot({ position: 2, bytes: CANARY });
  const blob = hex(eu.log.blobDigest(CANARY));
  await eu.log.putBlob(blob, CANARY);
  await us.log.head();
  return { engine, eu, us, hub: behind(engine), blob };
}

/** What the hub has of what should be nowhere. */
async function shown(): Promise<string[]> {
  const { engine, hub } = await written();
  const has = (bytes: Uint8Array | undefined): boolean => Buffer.from(bytes ?? []).includes('canary');
  return [
    ...(hub.entries.some(({ bytes }) => has(bytes)) ? ['a plain entry'] : []),
    ...(has(hub.snapshot?.bytes) ? ['a plain snapshot'] : []),
    ...([...hub.blobs.values()].some(has) ? ['a plain blob'] : []),
    ...([...engine.logs.keys()].some((name) => name.includes('canary')) ? ['a plain name'] : []),
  ];
}

type Attack = readonly [what: string, succeeds: () => Promise<boolean>];

async function withEntry(bytesOf: (given: Awaited<ReturnType<typeof written>>) => Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<boolean> {
  const given = await written();
  for await (const bytes of bytesOf(given)) {
    given.hub.entries[0] = { id: 'forged', bytes };
    if (await opens(() => given.us.log.read(0, 1))) return true;
  }
  return false;
}

const first = ({ hub }: { readonly hub: MemoryLog }): Uint8Array => hub.entries[0]?.bytes ?? new Uint8Array(0);

const attacks: readonly Attack[] = [
  ['a changed entry', () => withEntry((given) => changed(first(given)))],
  ['an entry that is cut', () => withEntry((given) => Array.from({ length: first(given).length }, (_, length) => repaired(Uint8Array.from(first(given).subarray(0, Math.max(4, length))))))],
  ['an entry that is not encrypted', () => withEntry(() => [Buffer.from([0, 0, 0, 9])])],
  ['an entry of another log', () => withEntry(async function* ({ engine, eu }) {
    await eu.connection.log(ORIGIN).append([{ id: 'x', bytes: CANARY }]);
    yield [...engine.logs.values()][2]?.entries[0]?.bytes ?? Buffer.alloc(0);
  })],
  ['an entry of another origin', () => withEntry(async function* () {
    const engine = new MemoryEngine();
    await new Region(engine, sourceWith(7, [], 'https://other.example')).append('x');
    yield behind(engine).entries[0]?.bytes ?? Buffer.alloc(0);
  })],
  ['a snapshot as an entry', () => withEntry(async function* ({ eu, hub }) {
    await eu.log.putSnapshot({ position: 2, bytes: Buffer.from([0, 0, 0, 9]) });
    yield hub.snapshot?.bytes ?? Buffer.alloc(0);
  })],
  ['a blob as an entry', () => withEntry(async function* ({ eu, hub }) {
    const blob = Buffer.from([0, 0, 0, 9]);
    const name = hex(eu.log.blobDigest(blob));
    await eu.log.putBlob(name, blob);
    yield hub.blobs.get(name) ?? Buffer.alloc(0);
  })],
  ['a changed snapshot', async () => {
    const { us, hub } = await written();
    for (const bytes of changed(hub.snapshot?.bytes ?? new Uint8Array(0))) {
      hub.snapshot = { position: 2, bytes };
      if (await opens(() => us.log.snapshot())) return true;
    }
    return false;
  }],
  ['a snapshot at another position', async () => {
    const { us, hub } = await written();
    hub.snapshot = { position: 1, bytes: hub.snapshot?.bytes ?? new Uint8Array(0) };
    return opens(() => us.log.snapshot());
  }],
  ['a changed blob', async () => {
    const { us, hub, blob } = await written();
    for (const bytes of changed(hub.blobs.get(blob) ?? new Uint8Array(0))) {
      hub.blobs.set(blob, bytes);
      const other = hex(sha256(bytes));
      hub.blobs.set(other, bytes);
      if ((await opens(() => us.log.getBlob(blob))) || (await opens(() => us.log.getBlob(other)))) return true;
    }
    return false;
  }],
  ['an entry under a key that was replaced', async () => {
    const { engine, eu, hub } = await written();
    const before = await eu.connection.keys.open();
    await eu.connection.keys.replace((keys) => keys.withNewKey());
    await eu.append('3');
    const bytes = Uint8Array.from(hub.entries[2]?.bytes ?? []);
    const isOpen = new Seal(`${ORIGIN} files`).open(bytes, ['entry'], { ...before, logCipher: (_id: number, log: string) => before.logCipher(1, log) } as typeof before, 2) !== null;
    // What was written before is to be read after all.
    return isOpen || (await new Region(engine).texts()).length !== 3;
  }],
  ['two orders', async () => {
    const { eu, us, hub } = await written();
    await eu.append('3', '4');
    await eu.texts();
    const [two, three] = [hub.entries[1], hub.entries[2]];
    if (two === undefined || three === undefined) return false;
    // One region is given them in another order than the author of the next has seen.
    hub.entries.splice(1, 2, three, two);
    await us.texts();
    hub.entries.splice(1, 2, two, three);
    await eu.append('5');
    hub.entries.splice(1, 2, three, two);
    await us.texts();
    return us.discords.length === 0;
  }],
];

/** What is tried with the keys that regions share. */
const attacksOnKeys: readonly Attack[] = [
  ['changed keys', async () => {
    const engine = new MemoryEngine();
    await new Region(engine).append('1');
    const [keys] = engine.logs.values();
    const bytes = keys?.entries[0]?.bytes ?? new Uint8Array(0);
    const data = engine.logs.size;
    for (const forged of changed(bytes)) {
      if (keys !== undefined) keys.entries = [{ id: 'forged', bytes: forged }];
      if (await opens(() => new Region(engine).log.head())) return true;
    }
    return engine.logs.size !== data;
  }],
  ['keys of whoever came second', async () => {
    const [engine, other] = [new MemoryEngine(), new MemoryEngine()];
    await new Region(engine).append('1');
    await new Region(other).append('1');
    const [[keys], [others]] = [[...engine.logs.values()], [...other.logs.values()]];
    keys?.entries.push(...(others?.entries ?? []));
    return (await new Region(engine).texts()).length !== 1;
  }],
  ['somebody without the key stops regions', async () => {
    const engine = new MemoryEngine();
    await new Region(engine).append('1');
    const [keys] = engine.logs.values();
    const bytes = Uint8Array.from(keys?.entries[0]?.bytes ?? []);
    bytes.set(sha256(keys?.entries[0]?.bytes ?? bytes), 1);
    keys?.entries.push({ id: 'forged', bytes });
    return !(await opens(() => new Region(engine).log.head()));
  }],
  ['another root key', async () => {
    const engine = new MemoryEngine();
    await new Region(engine).append('1');
    return opens(() => new Region(engine, sourceWith(8)).log.head());
  }],
];

/** Whatever succeeds of all that is tried, or of one thing. */
export async function successes(only?: string): Promise<string[]> {
  const found = await shown();
  for (const [what, succeeds] of [...attacks, ...attacksOnKeys]) {
    if ((only === undefined || only === what) && (await succeeds())) found.push(what);
  }
  return found;
}
