import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
// Compiling these while a message waits may take longer than its files are kept.
import '../../src/host/file-code.ts';
import '../../src/host/lock-code.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { atEnd, collectGarbage, openHost } from '../host/support.ts';
import { until } from './until.ts';
import { encrypted } from '../support/sealed.ts';

const ORIGIN = 'https://app.example';

function pair(quota?: number): { one: StorageHost; other: StorageHost } {
  const one = openHost(quota === undefined ? {} : { quota });
  const other = new StorageHost({ root: one.root, ...encrypted });
  atEnd(() => other.close());
  return { one, other };
}

function channelOf(host: StorageHost, heard?: unknown[]): InstanceType<ReturnType<StorageHost['origin']>['BroadcastChannel']> {
  const channel = new (host.origin(ORIGIN).BroadcastChannel)('a');
  atEnd(() => channel.close());
  if (heard !== undefined) {
    channel.onmessage = ({ data }) => heard.push(data);
    channel.onmessageerror = () => heard.push('error');
  }
  return channel;
}

/** Files that sessions have, but the bytes of none. */
function shared(host: StorageHost): string[] {
  const folder = path.join(host.root, 'origins/https_app.example/default/swap');
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((session) => fs.readdirSync(path.join(folder, session)));
}

test('Blobs and Files come with their bytes, and all that they tell, in the order of the messages', async () => {
  const { one, other } = pair();
  const [near, far]: [unknown[], unknown[]] = [[], []];
  channelOf(one, near);
  channelOf(other, far);
  const poster = channelOf(one);
  const blob = new Blob(['x'.repeat(300_000), 'end'], { type: 'text/plain' });
  const file = new File([new Uint8Array([1, 2, 3])], 'ü.bin', { type: 'application/octet-stream', lastModified: 5 });
  poster.postMessage('before');
  poster.postMessage({ blob, again: blob, list: [file, new Blob([])] });
  poster.postMessage('after');
  expect([near, far]).toEqual([[], []]);
  await until(() => near.length === 3 && far.length === 3);
  for (const heard of [near, far]) {
    expect([heard[0], heard[2]]).toEqual(['before', 'after']);
    const got = heard[1] as { blob: Blob; again: Blob; list: [File, Blob] };
    expect(got.again).toBe(got.blob);
    expect(got.blob).toBeInstanceOf(Blob);
    expect(got.blob).not.toBeInstanceOf(File);
    expect({ size: got.blob.size, type: got.blob.type }).toEqual({ size: 300_003, type: 'text/plain' });
    expect(await got.blob.text()).toBe(await blob.text());
    expect(await got.blob.slice(-3).text()).toBe('end');
    const [arrived, empty] = got.list;
    expect(arrived).toBeInstanceOf(File);
    expect({ name: arrived.name, lastModified: arrived.lastModified, type: arrived.type }).toEqual({ name: 'ü.bin', lastModified: 5, type: 'application/octet-stream' });
    expect(new Uint8Array(await arrived.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
    expect(empty.size).toBe(0);
  }
});

test('a Blob without a stream, as of jsdom, comes with its bytes', async () => {
  const { one, other } = pair();
  const heard: unknown[] = [];
  channelOf(other, heard);
  channelOf(one).postMessage(Object.assign(new Blob(['x'.repeat(1_500_000), 'end']), { stream: undefined }));
  await until(() => heard.length === 1);
  expect(await (heard[0] as Blob).slice(-4).text()).toBe('xend');
});

test('a Blob outlives its message, its sender, and goes when nobody has it any more', async () => {
  const { one, other } = pair();
  const heard: unknown[] = [];
  channelOf(other, heard);
  channelOf(one).postMessage(new Blob(['kept']));
  await until(() => heard.length === 1);
  await one.close();
  const slice = (heard.pop() as Blob).slice(1);
  await collectGarbage();
  expect(await slice.text()).toBe('ept');
});

test('the files of Blobs that nobody has any more are deleted', async () => {
  const { one, other } = pair();
  const heard: unknown[] = [];
  channelOf(other, heard);
  channelOf(one).postMessage([new Blob(['first']), new Blob(['second'])]);
  await until(() => heard.length === 1);
  expect(shared(one)).toHaveLength(4);
  heard.length = 0;
  // The sender's are there for others until the message has gone.
  await vi.waitUntil(async () => {
    await collectGarbage();
    return shared(one).length === 2;
  }, { timeout: 30_000, interval: 20 });
});

test('what the quota has no room for is not sent, which is told of, and all else is', async () => {
  const { one, other } = pair(100_000);
  const heard: unknown[] = [];
  channelOf(other, heard);
  const poster = channelOf(one);
  const warnings: string[] = [];
  const end = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
  atEnd(() => end.mockRestore());
  poster.postMessage([new Blob(['small']), new Blob(['x'.repeat(200_000)]), new Blob(['small'])]);
  poster.postMessage('on');
  await until(() => heard.length === 1);
  expect(heard).toEqual(['on']);
  expect(warnings.join()).toMatch(/A message was not sent/);
  expect(shared(one)).toEqual([]);
});

test('a message whose files have gone is a messageerror, at its place', async () => {
  const { one, other } = pair();
  const heard: unknown[] = [];
  const listener = channelOf(other, heard);
  listener.addEventListener('message', () => undefined);
  const poster = channelOf(one);
  const link = fs.linkSync;
  const take = vi.spyOn(fs, 'linkSync').mockImplementation((from, to) => {
    if (String(from).includes('/swap/')) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
    link(from, to);
  });
  atEnd(() => take.mockRestore());
  poster.postMessage(new Blob(['lost']));
  poster.postMessage('next');
  await until(() => heard.length === 2);
  expect(heard).toEqual(['error', 'next']);
});

test('a channel that is closed after it has posted a Blob has posted it', async () => {
  const { one, other } = pair();
  const heard: unknown[] = [];
  channelOf(other, heard);
  const poster = channelOf(one);
  poster.postMessage(new Blob(['bye']));
  poster.close();
  await one.close();
  await until(() => heard.length === 1);
  expect(await (heard[0] as Blob).text()).toBe('bye');
});
