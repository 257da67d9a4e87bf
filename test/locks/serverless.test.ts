import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';
import { LockTable } from '../../src/disk/locks/table.ts';
import { nextTurn } from '../../src/runtime/timers.ts';
import { StorageHost } from '../../src/host/storage-host.ts';

/*
 * Programs that start, use a lock and are gone, again and again: what they leave is bounded. The starts are lock tables
 * of this process that say they are threads which have ended; half of them are gone while they hold the lock.
 */
const STARTS = Number(process.env.HOLDFAST_STARTS ?? 2000);

let home: string;
let bucket: BucketDirectory;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-serverless-'));
  bucket = new BucketDirectory(new Root(path.join(home, 'root'), 'relaxed'), 'https://app.example', 'default');
});

afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

const wake = (): string[] => fs.readdirSync(path.join(bucket.path, 'wake'));

/** What the tables have running that a thread's end would end. */
let running: unknown[] = [];

function start(thread: number): LockTable {
  const identity = { boot: 'b', namespace: 'n', pid: thread, tid: thread, start: 1 };
  const detach = <T>(body: () => T): T => {
    const started = body();
    running.push(started);
    return started;
  };
  return new LockTable(bucket, { identity, detach, probe: ({ pid }) => (pid === thread ? 'alive' : 'dead') });
}

/** The tables that were not closed do nothing more. */
function killAll(): void {
  for (const each of running) {
    if (each instanceof EventEmitter) (each as fs.FSWatcher).close();
    else clearTimeout(each as NodeJS.Timeout);
  }
  running = [];
}

const holdLock = (table: LockTable, name: string): Promise<unknown> =>
  table.request({ name, mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false }).granted;

/** How a long run goes. */
function report(starts: number, most: number): string {
  const journal = path.join(bucket.path, 'locks');
  const sizes = fs.readdirSync(journal).map((name) => `${name}: ${fs.statSync(path.join(journal, name)).size}`);
  const cpu = Math.round(process.cpuUsage().user / 1e6);
  return `${starts} starts, ${cpu} s of CPU, at most ${most} files in wake/, ${sizes.join(', ')} bytes, ${process.memoryUsage().rss >> 20} MiB`;
}

test('wake/, the table and its journal stay small over many starts', { timeout: Math.max(120_000, STARTS * 30) }, async () => {
  let most = 0;
  for (let thread = 1; thread <= STARTS; thread += 1) {
    const table = start(thread);
    await holdLock(table, `lock of ${thread}`);
    // What a session that waits or holds for a while has.
    fs.writeFileSync(path.join(bucket.path, 'wake', table.folder), '');
    fs.writeFileSync(path.join(bucket.path, 'wake', `${table.folder}.lease`), '');
    table.sweep();
    if (thread % 2 === 0) await table.close();
    killAll();
    // What watches files is closed when the event loop turns.
    if (thread % 100 === 0) await nextTurn();
    most = Math.max(most, wake().length);
    if (thread % 5000 === 0) console.log(report(thread, most));
  }
  expect(most).toBeLessThan(40);
  const last = start(STARTS + 1);
  last.sweep();
  expect(last.query().held.length).toBeLessThanOrEqual(1);
  const generations = fs.readdirSync(path.join(bucket.path, 'locks')).filter((name) => name !== 'cand');
  expect(generations.length).toBeLessThanOrEqual(2);
  for (const name of generations) expect(fs.statSync(path.join(bucket.path, 'locks', name)).size).toBeLessThan(2 ** 21);
  await last.close();
});

test('what is not ours in wake/ stays, and so do the files of sessions that are there', async () => {
  const [table, other] = [start(1), start(1)];
  await holdLock(table, 'lock');
  await holdLock(other, 'other lock');
  const foreign = ['notes', `${crypto.randomUUID()}.txt`];
  const gone = [crypto.randomUUID(), `${crypto.randomUUID()}.lease`];
  for (const name of [...foreign, ...gone, table.folder, other.folder]) fs.writeFileSync(path.join(bucket.path, 'wake', name), '');
  table.sweep();
  expect(wake().sort()).toEqual([...foreign, table.folder, other.folder].sort());
  await table.close();
  await other.close();
  expect(wake().sort()).toEqual([...foreign].sort());
});

test('a host that starts clears away what 2,000 sessions have left, a part at a time', async () => {
  bucket.ensure();
  for (let index = 0; index < 2000; index += 1) fs.writeFileSync(path.join(bucket.path, 'wake', crypto.randomUUID()), '');
  for (let left = 2000; left > 0; ) {
    const host = new StorageHost({ root: path.join(home, 'root') });
    await host.origin('https://app.example').locks.request('lock', () => undefined);
    const before = left;
    await expect.poll(() => wake().length).toBeLessThan(before);
    await host.close();
    left = wake().length;
  }
});
