import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
// Compiling these while a message waits may take longer than its files are kept.
import '../../src/host/file-code.ts';
import '../../src/host/lock-code.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { atEnd, openHost } from '../host/support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { until } from './until.ts';
import { encrypted } from '../support/sealed.ts';

const ORIGIN = 'https://app.example';
const SIZE = 200_000;

let fixture: string;
beforeAll(async () => {
  fixture = await bundleFixture(new URL('blob-fixture.ts', import.meta.url));
});

interface Running {
  line(): Promise<unknown>;
  kill(): Promise<unknown>;
  /** Lets it end by itself: its code. */
  leave(): Promise<unknown>;
}

/** A process that has begun with its work. */
async function start(...args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = once(child, 'exit');
  const line = async (): Promise<unknown> => JSON.parse(String((await lines.next()).value));
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return ended;
  };
  const leave = async (): Promise<unknown> => {
    child.stdin.end();
    return (await ended)[0];
  };
  atEnd(kill);
  expect(await line()).toBe(args[1]);
  return { line, kill, leave };
}

/** What a bucket has of files in nobody's tree. */
function aside(root: string): string[] {
  return ['swap', 'trash'].flatMap((part) => {
    const folder = path.join(root, 'origins/https_app.example/default', part);
    if (!fs.existsSync(folder)) return [];
    return fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map(({ parentPath, name }) => `${part}/${path.basename(parentPath)}/${name}`);
  });
}

function hearing(host: StorageHost): unknown[] {
  const heard: unknown[] = [];
  const channel = new (host.origin(ORIGIN).BroadcastChannel)('a');
  channel.onmessage = ({ data }) => heard.push(data);
  channel.onmessageerror = () => heard.push('error');
  return heard;
}

/** The next who uses the bucket's files deletes what nobody has. */
async function startSweep(root: string): Promise<StorageHost> {
  const next = new StorageHost({ root, ...encrypted });
  atEnd(() => next.close());
  const directory = await next.origin(ORIGIN).storage.getDirectory();
  await directory.keys().next();
  return next;
}

async function expectSwept(root: string): Promise<void> {
  await startSweep(root);
  await until(() => aside(root).length === 0);
}

test('processes hand each other Blobs and Files, which outlive whoever has sent them', async () => {
  const host = openHost();
  const heard = hearing(host);
  const listener = await start(host.root, 'hear', 'a');
  const sender = await start(host.root, 'send', 'a', String(SIZE));
  expect(await listener.line()).toEqual([SIZE + 3, 'end', 'a.txt', 5, 'file']);
  await until(() => heard.length === 1);
  expect(await sender.leave()).toBe(0);
  expect(await listener.leave()).toBe(0);
  const { blob } = heard[0] as { blob: Blob };
  expect(await blob.text()).toBe(`${'x'.repeat(SIZE)}end`);
  await host.close();
  await expectSwept(host.root);
});

test('of killed ones, others keep what they have heard of, and nothing stays behind', async () => {
  const host = openHost();
  const heard = hearing(host);
  const listener = await start(host.root, 'hear', 'a');
  const sender = await start(host.root, 'send', 'a', String(SIZE));
  await listener.line();
  await until(() => heard.length === 1);
  await Promise.all([sender.kill(), listener.kill()]);
  expect(aside(host.root).length).toBe(6);
  const other = await startSweep(host.root);
  await expect.poll(() => aside(host.root)).toHaveLength(2);
  const { blob, file } = heard[0] as { blob: Blob; file: File };
  expect([await blob.text(), await file.text()]).toEqual([`${'x'.repeat(SIZE)}end`, 'file']);
  await Promise.all([host.close(), other.close()]);
  await expectSwept(host.root);
});

test('one that is killed while it stores a Blob has sent nothing, and nothing of it stays', async () => {
  const host = openHost();
  const heard = hearing(host);
  const sender = await start(host.root, 'stall', 'a');
  expect(await sender.line()).toBe('stalling');
  expect(aside(host.root).length).toBe(1);
  await sender.kill();
  const next = await start(host.root, 'send', 'a', '0');
  await until(() => heard.length === 1);
  expect(await (heard[0] as { blob: Blob }).blob.text()).toBe('end');
  await Promise.all([host.close(), next.kill()]);
  await expectSwept(host.root);
});
