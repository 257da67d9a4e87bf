// Encrypted origins beside plain ones in one process, taking turns; runs on every runtime. Prints JSON: how many times as
// long the encrypted one takes, medians of neighbouring rounds; where a file is read, bytes per second.
// With BENCH_CLOCK=cpu the processor's time counts, for machines that have other work.
import { closeSync, openSync, readSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { install, StorageHost } from '../../dist/index.js';
import { configuration, openPool } from '../contestants/sqlite-wasm.mjs';
import { warmUp } from '../warm-up.mjs';

const [root, roundsText, withSqlite] = process.argv.slice(2);
const rounds = Number(roundsText);
const origin = 'https://bench.example';
const key = new Uint8Array(32).fill(7);
const MIB = 2 ** 20;

const sides = { plain: {}, encrypted: { encryption: { key } } };
const hostOn = (side, name) => new StorageHost({ root: join(root, `${name}-${side}`), quota: { localStorage: 64 * MIB }, ...sides[side] });

/** How long one round should take. */
const ROUND_MS = 40;

/** Before the rounds that count, for each side. */
const WARM_UP_MS = 2000;

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

function now() {
  if (process.env.BENCH_CLOCK !== 'cpu') return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

async function timed(run, n) {
  const start = now();
  await run(n);
  return now() - start;
}

/** How many calls make a round, of whichever side takes longer. */
async function calibrated(runs, most) {
  let cold = Math.min(most, 4);
  const turn = async () => {
    if (Math.max(...(await inTurn(runs, cold))) < ROUND_MS) cold = Math.min(most, 2 * cold);
  };
  await warmUp(turn, WARM_UP_MS * runs.length);
  for (let n = Math.min(most, 4); ; n *= 4) {
    const longest = Math.max(...(await inTurn(runs, n)));
    if (longest >= ROUND_MS / 4 || n >= most) return Math.max(1, Math.min(most, Math.round((n * ROUND_MS) / Math.max(longest, 0.001))));
  }
}

async function inTurn(runs, n) {
  const times = [];
  for (const run of runs) times.push(await timed(run, n));
  return times;
}

/** How many times as long the second one takes, over so many times the rounds that are asked for. */
async function ratio(plain, encrypted, most = 200_000, times = 3) {
  const n = await calibrated([plain, encrypted], most);
  const ratios = [];
  for (let round = 0; round <= times * rounds; round += 1) {
    const order = round % 2 === 0 ? [plain, encrypted] : [encrypted, plain];
    const took = await inTurn(order, n);
    const [without, having] = round % 2 === 0 ? took : took.reverse();
    if (round > 0) ratios.push(having / without);
  }
  return median(ratios);
}

const keys = Array.from({ length: 1000 }, (_, index) => `key ${index}`);
let counter = 0;
const value = () => `${(counter += 1)}`.padStart(10, '0') + 'x'.repeat(90);

async function items() {
  const [plain, encrypted] = Object.keys(sides).map((side) => hostOn(side, 'items').origin(origin).localStorage);
  for (const area of [plain, encrypted]) for (const name of keys) area.setItem(name, value());
  const setting = (area) => (n) => {
    for (let i = 0; i < n; i += 1) area.setItem(keys[i % 1000], value());
  };
  const getting = (area) => (n) => {
    for (let i = 0; i < n; i += 1) area.getItem(keys[i % 1000]);
  };
  return { setItem: await ratio(setting(plain), setting(encrypted)), getItem: await ratio(getting(plain), getting(encrypted)) };
}

const PAIRS = 50_000;

/** The first look of a process at what others have written. */
async function replay() {
  const opening = [];
  for (const side of Object.keys(sides)) {
    const host = hostOn(side, 'replay');
    const { localStorage } = host.origin(origin);
    for (let i = 0; i < PAIRS; i += 1) localStorage.setItem(`key ${i}`, `${i}`.padStart(8, '0'));
    await host.close();
    opening.push(async (n) => {
      for (let i = 0; i < n; i += 1) {
        const again = hostOn(side, 'replay');
        if (again.origin(origin).localStorage.length !== PAIRS) throw new Error('items are missing');
        await again.close();
      }
    });
  }
  // One call is a round, and on Bun one takes up to three times as long as another.
  return { replay: await ratio(...opening, 1, 20) };
}

const SYNC_BYTES = 16 * MIB;

async function syncRead() {
  const bare = join(root, 'bare');
  writeFileSync(bare, new Uint8Array(SYNC_BYTES).fill(1));
  const descriptor = openSync(bare, 'r');
  const files = await hostOn('encrypted', 'sync').origin(origin).storage.getDirectory();
  const handle = await (await files.getFileHandle('sync', { create: true })).createSyncAccessHandle();
  const large = new Uint8Array(MIB).fill(1);
  for (let at = 0; at < SYNC_BYTES; at += MIB) handle.write(large, { at });
  const buffer = new Uint8Array(4096);
  const place = { at: 0 };
  const found = await ratio(
    (n) => {
      for (let i = 0; i < n; i += 1) readSync(descriptor, buffer, 0, 4096, (i * 4096) % SYNC_BYTES);
    },
    (n) => {
      for (let i = 0; i < n; i += 1) {
        place.at = (i * 4096) % SYNC_BYTES;
        handle.read(buffer, place);
      }
    },
  );
  handle.close();
  closeSync(descriptor);
  return { read4k: found };
}

/** Bytes per second, of a file that was written as a whole. */
async function wholeFile() {
  const files = await hostOn('encrypted', 'whole').origin(origin).storage.getDirectory();
  const file = await files.getFileHandle('whole', { create: true });
  const writable = await file.createWritable();
  await writable.write(new Uint8Array(MIB).fill(1));
  await writable.close();
  const handle = await file.createSyncAccessHandle({ mode: 'read-only' });
  const memory = new Uint8Array(MIB);
  const found = {
    readInto: await speed(() => handle.read(memory, { at: 0 })),
    readFile: await speed(async () => (await (await file.getFile()).arrayBuffer()).byteLength),
  };
  handle.close();
  return found;
}

async function speed(read) {
  const reading = async (n) => {
    for (let i = 0; i < n; i += 1) if ((await read()) !== MIB) throw new Error('bytes are missing');
  };
  const n = await calibrated([reading], 1000);
  const times = [];
  for (let round = 0; round < 2 * rounds; round += 1) times.push(await timed(reading, n));
  return (n * MIB * 1000) / median(times);
}

const ROWS = 1000;
const MANY = 100_000;
const SELECTS = 200;

/** A pool of SQLite's on an origin's files, and a table of 100,000 rows in it. */
async function database(side) {
  globalThis.sqlite3ApiConfig = configuration;
  const client = hostOn(side, 'sqlite').origin(origin);
  Object.defineProperty(globalThis.navigator, 'storage', { value: client.storage, configurable: true });
  const wasm = import.meta.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm');
  const { default: init } = await import(new URL('index.mjs', wasm).href);
  const opened = await openPool(init, { wasmBinary: await readFile(fileURLToPath(wasm)) });
  opened.exec('CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount INTEGER NOT NULL)');
  const insert = opened.writer('INSERT INTO item (name, amount) VALUES (?, ?)');
  let count = 0;
  const insertRows = (rows) => {
    for (let i = 0; i < rows; i += 1) insert(`item number ${(count += 1)}`, count);
  };
  const inTransaction = (rows) => {
    opened.exec('BEGIN');
    insertRows(rows);
    opened.exec('COMMIT');
  };
  inTransaction(MANY);
  const select = opened.reader('SELECT amount FROM item WHERE id = ?');
  return {
    insert: (n) => {
      for (let i = 0; i < n; i += 1) inTransaction(ROWS);
    },
    /** Last: it makes the table many times as long. */
    bulk: (n) => {
      for (let i = 0; i < n; i += 1) inTransaction(MANY);
    },
    commit: insertRows,
    /** SQLite has nothing of it in memory. */
    select: (n) => {
      for (let i = 0; i < n; i += 1) {
        opened.exec('PRAGMA shrink_memory');
        for (let at = 0; at < SELECTS; at += 1) {
          const id = 1 + ((at * 7919) % MANY);
          if (select(id) !== id) throw new Error(`row ${id} is not itself`);
        }
      }
    },
  };
}

async function sqlite() {
  install({ host: hostOn('plain', 'globals'), origin, globals: ['navigator.storage'] });
  const [plain, encrypted] = [await database('plain'), await database('encrypted')];
  const found = {};
  for (const [work, most] of [['insert', 2000], ['commit', 2000], ['select', 2000], ['bulk', 1]]) found[work] = await ratio(plain[work], encrypted[work], most);
  return found;
}

const found = { ...(await items()), ...(await replay()), ...(await syncRead()), ...(await wholeFile()), ...(withSqlite === 'sqlite' ? await sqlite() : {}) };
console.log(JSON.stringify(found));
process.exit(0);
