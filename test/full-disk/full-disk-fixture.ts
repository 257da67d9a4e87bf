import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import '../../src/host/caches/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import { encrypted } from '../support/sealed.ts';

// Runs one scenario on a disk of a few MiB that is its own, and prints what was violated, as JSON.

const [scenario = '', disk = '', argument = '0'] = process.argv.slice(2);
const root = path.join(disk, 'root');
const origin = 'https://app.example';
const violations: string[] = [];

const open = (options: { durability?: 'strict' } = {}): StorageHost => new StorageHost({ root, ...options, ...encrypted });

/** What happened: nothing, or which error. */
function outcome(body: () => unknown): string {
  try {
    body();
    return 'ok';
  } catch (error) {
    return error instanceof DOMException ? error.name : String(error);
  }
}

async function outcomeOf(body: () => Promise<unknown>): Promise<string> {
  try {
    await body();
    return 'ok';
  } catch (error) {
    return error instanceof DOMException ? error.name : String(error);
  }
}

function require(condition: boolean, violation: string): void {
  if (!condition) violations.push(violation);
}

/** Sets items of that many code units until one is refused. */
function fillWithItems(storage: Storage, length: number): string[] {
  const keys: string[] = [];
  for (let index = 0; ; index++) {
    const key = `${length}-${index}`;
    const result = outcome(() => storage.setItem(key, String(index % 10).repeat(length)));
    if (result === 'QuotaExceededError') return keys;
    require(result === 'ok', `setItem: ${result}`);
    keys.push(key);
  }
}

/** Takes all that the disk has left, to its last block, as another program would. */
function fillDisk(): void {
  const descriptor = fs.openSync(path.join(disk, 'foreign'), 'a');
  for (const size of [2 ** 18, 2 ** 12, 1]) {
    try {
      while (fs.writeSync(descriptor, Buffer.alloc(size, 1)) === size);
    } catch {
      // Full, for writes of this size.
    }
  }
  fs.closeSync(descriptor);
}

const freeDisk = (): void => fs.rmSync(path.join(disk, 'foreign'), { force: true });

/** What a process that opens the root now finds. */
async function elsewhere(task: string, ...args: string[]): Promise<string> {
  const child = fork(process.argv[1] ?? '', ['child', disk, task, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const message = once(child, 'message');
  await once(child, 'exit');
  return String((await message)[0]);
}

const contents = (storage: Storage): string =>
  JSON.stringify(Object.keys(storage).map((key) => [key, storage.getItem(key)?.length]));

type Storage = StorageHost extends { origin(origin: string): infer Client } ? (Client extends { localStorage: infer Map } ? Map : never) : never;

async function child(task: string): Promise<void> {
  const host = open();
  const storage = host.origin(origin).localStorage;
  const answers: Record<string, () => unknown> = {
    contents: () => contents(storage),
    remove: () => outcome(() => storage.removeItem(Object.keys(storage)[0] ?? '')),
    clear: () => outcome(() => storage.clear()),
    buckets: async () => (await host.origin(origin).storageBuckets.keys()).join(),
    lock: () => outcomeOf(() => host.origin(origin).locks.request('l', () => undefined)),
    churn: () => churn(storage, Number(process.argv[5])),
  };
  const answer = await answers[task]?.();
  await host.close();
  await new Promise((sent) => process.send?.(answer, sent));
  process.disconnect();
}

/** Sets and removes; what removes must never fail, and what sets only for want of room. */
function churn(storage: Storage, seed: number): string {
  const random = mulberry32(seed);
  const found: string[] = [];
  for (let count = 0; count < 1500; count++) {
    const key = `${seed}-${Math.floor(random() * 30)}`;
    const [action, expected] =
      random() < 0.6
        ? ([() => storage.setItem(key, 'x'.repeat(random() < 0.3 ? random() * 300_000 : random() * 300)), ['ok', 'QuotaExceededError']] as const)
        : ([() => storage.removeItem(key), ['ok']] as const);
    const result = outcome(action);
    if (!expected.some((name) => name === result)) found.push(result);
  }
  return found.join();
}

const scenarios: Record<string, () => Promise<void>> = {
  async items() {
    const host = open();
    const storage = host.origin(origin).localStorage;
    const keys = fillWithItems(storage, Number(argument));
    require(keys.length > 0, 'nothing could be stored');
    require((await elsewhere('contents')) === contents(storage), 'another process sees something else');
    require((await elsewhere('remove')) === 'ok', 'another process cannot remove');
    for (const key of keys) {
      const result = outcome(() => storage.removeItem(key));
      require(result === 'ok', `removeItem: ${result}`);
    }
    require(storage.length === 0, 'not all is gone');
    require(outcome(() => storage.setItem('again', 'x'.repeat(Number(argument)))) === 'ok', 'nothing can be stored again');
    const second = fillWithItems(storage, Number(argument)).length;
    require(second >= keys.length / 2, `the second time there is room for ${second} instead of ${keys.length}`);
    require((await elsewhere('clear')) === 'ok', 'another process cannot clear');
    require(outcome(() => storage.setItem('again', 'x'.repeat(Number(argument)))) === 'ok', 'nothing can be stored after clear()');
    await host.close();
  },

  /** Somebody else fills the disk to its last block. */
  async foreign() {
    const host = open(argument === 'strict' ? { durability: 'strict' } : {});
    const client = host.origin(origin);
    const storage = client.localStorage;
    for (let index = 0; index < 600; index++) storage.setItem(`k${index}`, 'x'.repeat(200));
    const files = await client.storage.getDirectory();
    const tree = await files.getDirectoryHandle('tree', { create: true });
    for (const name of ['f', 'g', 'h']) {
      for (const directory of [files, tree]) {
        const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
        await writable.write('y'.repeat(1000));
        await writable.close();
      }
    }
    let release = (): void => {};
    const held = client.locks.request('held', () => new Promise<void>((resolve) => (release = resolve)));
    await client.locks.query();
    fillDisk();
    for (let index = 0; index < 300; index++) {
      const result = outcome(() => storage.removeItem(`k${index}`));
      require(result === 'ok', `removeItem ${index}: ${result}`);
    }
    require((await elsewhere('remove')) === 'ok', 'another process cannot remove');
    require((await elsewhere('lock')) === 'ok', 'another process cannot lock');
    release();
    require((await outcomeOf(() => held)) === 'ok', 'a lock cannot be released');
    for (let index = 0; index < 300; index++) {
      const result = await outcomeOf(() => client.locks.request('l', () => undefined));
      require(result === 'ok', `locks.request ${index}: ${result}`);
    }
    for (const [name, options] of [['f', {}], ['g', {}], ['tree', { recursive: true }]] as const) {
      const result = await outcomeOf(() => files.removeEntry(name, options));
      require(result === 'ok', `removeEntry: ${result}`);
    }
    const written = outcome(() => storage.setItem('big', 'x'.repeat(100_000)));
    require(written === 'QuotaExceededError', `setItem on a full disk: ${written}`);
    require((await elsewhere('clear')) === 'ok', 'another process cannot clear');
    require(storage.length === 0, 'not all is gone');
    freeDisk();
    require(outcome(() => storage.setItem('big', 'x'.repeat(100_000))) === 'ok', 'nothing can be stored though there is room');
    await host.close();
    require(fs.readdirSync(path.join(root, 'holdfast.reserve')).length > 0, 'nothing is kept back again');
  },

  /** The caches of a bucket: what is there stays, can be deleted, and gives its room back. */
  async caches() {
    const host = open();
    const client = host.origin(origin);
    const { caches } = argument === 'default' ? client : await client.storageBuckets.open(argument);
    const cache = await caches.open('pages');
    const put = (name: string, size: number): Promise<string> => outcomeOf(() => cache.put(`${origin}/${name}`, new Response(new Uint8Array(size))));
    const requireOld = async (when: string): Promise<void> => {
      const old = await (await cache.match(`${origin}/old`))?.arrayBuffer();
      require(old?.byteLength === 100_000, `the old response is gone ${when}`);
    };
    require((await put('old', 100_000)) === 'ok', 'nothing can be put');
    let last = 'ok';
    for (let count = 0; last === 'ok'; count++) last = await put(`more-${count}`, 300_000);
    require(last === 'QuotaExceededError', `put until the disk is full: ${last}`);
    const larger = await put('old', 8_000_000);
    require(larger === 'QuotaExceededError', `put of more than there is room for: ${larger}`);
    await requireOld('where the disk is full of others');
    fillDisk();
    for (const name of ['old', 'new']) {
      for (const size of [10, 100_000]) {
        const result = await put(name, size);
        require(result === 'QuotaExceededError', `put of ${size} bytes, ${name}, to a disk that is full to its last block: ${result}`);
      }
    }
    const made = await outcomeOf(() => caches.open('another'));
    // A block that is begun may have room for one more name.
    require(['ok', 'QuotaExceededError'].includes(made), `caches.open: ${made}`);
    await requireOld('where the disk is full to its last block');
    for (const remove of [() => cache.delete(`${origin}/more-0`), () => caches.delete('pages')]) {
      const result = await outcomeOf(async () => require(await remove(), 'nothing was deleted'));
      require(result === 'ok', `delete: ${result}`);
    }
    freeDisk();
    const again = await caches.open('pages');
    const second = await outcomeOf(() => again.put(`${origin}/old`, new Response(new Uint8Array(300_000))));
    require(second === 'ok', `put once there is room: ${second}`);
    await host.close();
  },

  /** Named buckets: what is there stays, none is made, and one can be deleted, also for other processes. */
  async buckets() {
    const host = open();
    const { storageBuckets } = host.origin(origin);
    const bucket = await storageBuckets.open('kept');
    const files = await bucket.getDirectory();
    const write = async (name: string, size: number): Promise<void> => {
      const writable = await (await files.getFileHandle(name, { create: true })).createWritable();
      await writable.write('y'.repeat(size));
      await writable.close();
    };
    await write('file', 100_000);
    await storageBuckets.open('doomed');
    fillDisk();
    const replaced = await outcomeOf(() => write('file', 200_000));
    require(replaced === 'QuotaExceededError', `a write: ${replaced}`);
    const made = await outcomeOf(() => storageBuckets.open('another'));
    require(made === 'QuotaExceededError', `storageBuckets.open: ${made}`);
    require((await (await files.getFileHandle('file')).getFile()).size === 100_000, 'the old content is gone');
    const opened = await outcomeOf(async () => (await storageBuckets.open('kept')).estimate());
    require(opened === 'ok', `storageBuckets.open of one that is there: ${opened}`);
    const deleted = await outcomeOf(() => storageBuckets.delete('doomed'));
    require(deleted === 'ok', `storageBuckets.delete: ${deleted}`);
    require((await elsewhere('buckets')) === 'kept', 'another process sees other buckets');
    freeDisk();
    const again = await outcomeOf(() => storageBuckets.open('another'));
    require(again === 'ok', `storageBuckets.open once there is room: ${again}`);
    await host.close();
  },

  /** Any sequence, as a model has it. */
  async sequence() {
    const random = mulberry32(Number(argument));
    const host = open();
    const storage = host.origin(origin).localStorage;
    const model = new Map<string, string>();
    for (let step = 0; step < 1200; step++) {
      const key = `k${Math.floor(random() * 60)}`;
      const kind = random();
      if (kind < 0.02) fillDisk();
      else if (kind < 0.05) freeDisk();
      else if (kind < 0.7) {
        const value = String(step).repeat(1 + random() * (random() < 0.2 ? 100_000 : 200));
        const result = outcome(() => storage.setItem(key, value));
        if (result === 'ok') model.set(key, value);
        else require(result === 'QuotaExceededError', `step ${step}: setItem: ${result}`);
      } else if (kind < 0.99) {
        const result = outcome(() => storage.removeItem(key));
        require(result === 'ok', `step ${step}: removeItem: ${result}`);
        model.delete(key);
      } else {
        const result = outcome(() => storage.clear());
        require(result === 'ok', `step ${step}: clear: ${result}`);
        model.clear();
      }
      if (step % 100 === 0) compare(storage, model, `step ${step}`);
    }
    compare(storage, model, 'the end');
    require((await elsewhere('contents')) === contents(storage), 'another process sees something else');
    await host.close();
  },

  async processes() {
    const host = open();
    host.origin(origin).localStorage.setItem('first', '1');
    const found = await Promise.all(['1', '2', '3', '4'].map((seed) => elsewhere('churn', seed + argument)));
    for (const violation of found) require(violation === '', `churn: ${violation.slice(0, 300)}`);
    require((await elsewhere('clear')) === 'ok', 'cannot clear');
    require(outcome(() => host.origin(origin).localStorage.setItem('big', 'x'.repeat(100_000))) === 'ok', 'nothing can be stored after clear()');
    await host.close();
  },
};

function compare(storage: Storage, model: Map<string, string>, when: string): void {
  const keys = Object.keys(storage);
  require(keys.length === model.size, `${when}: ${keys.length} items instead of ${model.size}`);
  for (const [key, value] of model) require(storage.getItem(key) === value, `${when}: another value of ${key}`);
}

if (scenario === 'child') await child(argument);
else {
  await scenarios[scenario]?.();
  console.log(JSON.stringify(violations.slice(0, 20)));
}

