// How soon a database goes on in another process, by the built package: after its writer was killed, and when somebody
// wants another version. Part of npm run stress: node test/stress/main.mjs --database-latency [--rounds=60]
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StorageHost } from '../../dist/index.js';

const origin = 'https://app.example';
const file = fileURLToPath(import.meta.url);

/** What these may take at the median, in milliseconds, on an idle machine. */
const bounds = { takeover: 150, versionchange: 20 };

/** By then whoever waits is waiting. */
const REST_MS = 30;

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const settled = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
const completed = (transaction) => new Promise((resolve, reject) => Object.assign(transaction, { oncomplete: () => resolve(), onabort: () => reject(transaction.error) }));

function opened(indexedDB, version) {
  const request = version === undefined ? indexedDB.open('d') : indexedDB.open('d', version);
  request.onupgradeneeded = ({ oldVersion }) => oldVersion === 0 && request.result.createObjectStore('s');
  return settled(request);
}

/** Writes until it is killed, or closes when somebody wants another version. */
async function beOther(root, part) {
  const db = await opened(new StorageHost({ root }).origin(origin).indexedDB);
  if (part === 'write') {
    const store = db.transaction('s', 'readwrite').objectStore('s');
    const again = () => (store.put(0, 'k').onsuccess = again);
    again();
  }
  db.onversionchange = () => {
    process.send({ at: String(process.hrtime.bigint()) });
    db.close();
  };
  setTimeout(() => process.send({}), part === 'write' ? REST_MS : 0);
  setInterval(() => undefined, 1000);
}

function start(root, part) {
  const child = fork(file, ['other', root, part], { execArgv: ['--no-warnings'] });
  const message = () => new Promise((resolve) => child.once('message', resolve));
  return { child, message };
}

async function takeover(root, indexedDB) {
  const { child, message } = start(root, 'write');
  await message();
  const db = await opened(indexedDB);
  const transaction = db.transaction('s', 'readwrite');
  transaction.objectStore('s').put(1, 'k');
  const end = completed(transaction);
  await pause(REST_MS);
  const killed = process.hrtime.bigint();
  child.kill('SIGKILL');
  await end;
  const took = Number(process.hrtime.bigint() - killed) / 1e6;
  db.close();
  return took;
}

async function versionchange(root, indexedDB, version) {
  const { child, message } = start(root, 'listen');
  await message();
  await pause(REST_MS);
  const told = message();
  const asked = process.hrtime.bigint();
  const db = await opened(indexedDB, version);
  const { at } = await told;
  db.close();
  child.kill();
  return Number(BigInt(at) - asked) / 1e6;
}

/** @returns whether the medians stayed within the bounds */
export async function measureDatabases(rounds) {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-latency-'));
  const host = new StorageHost({ root });
  const { indexedDB } = host.origin(origin);
  const times = { takeover: [], versionchange: [] };
  try {
    (await opened(indexedDB, 1)).close();
    for (let round = 0; round < rounds; round += 1) {
      times.takeover.push(await takeover(root, indexedDB));
      times.versionchange.push(await versionchange(root, indexedDB, round + 2));
    }
  } finally {
    await host.close();
    rmSync(root, { recursive: true, force: true });
  }
  const results = Object.entries(times).map(([of, all]) => ({ of, sorted: all.toSorted((a, b) => a - b), bound: bounds[of] }));
  for (const { of, sorted, bound } of results) {
    console.log(`${of}: median ${sorted[rounds >> 1].toFixed(1)} ms (at most ${bound}), longest ${sorted.at(-1).toFixed(1)} ms, of ${rounds}`);
  }
  return results.every(({ sorted, bound }) => sorted[rounds >> 1] <= bound);
}

if (process.argv[2] === 'other') await beOther(process.argv[3], process.argv[4]);
