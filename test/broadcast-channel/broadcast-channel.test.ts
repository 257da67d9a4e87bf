import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import type { BroadcastChannel } from '../../src/broadcast-channel/broadcast-channel.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { atEnd, openHost } from '../host/support.ts';
import { until } from './until.ts';
import { encrypted } from '../support/sealed.ts';

const origin = 'https://app.example';

function hearing(channel: BroadcastChannel): unknown[] {
  const heard: unknown[] = [];
  channel.onmessage = ({ data, origin: from }) => heard.push(from === origin ? data : from);
  atEnd(() => channel.close());
  return heard;
}

function secondHost(host: StorageHost): StorageHost {
  const second = new StorageHost({ root: host.root, ...encrypted });
  atEnd(() => second.close());
  return second;
}

test('a message reaches all channels of its name but its own, each with a clone of its own', async () => {
  const host = openHost();
  const [one, other] = [host.client(origin), secondHost(host).client(origin)];
  const [own, same, far] = [new one.BroadcastChannel('a'), new one.BroadcastChannel('a'), new other.BroadcastChannel('a')];
  const [mine, near, away] = [own, same, far].map(hearing);
  const elsewhere = hearing(new other.BroadcastChannel('b'));
  const stranger = hearing(new (host.client('https://other.example').BroadcastChannel)('a'));
  const message = { map: new Map([[1, new Date(5)]]), bytes: new Uint8Array([1, 2]) };
  own.postMessage(message);
  expect(near).toEqual([]);
  far.postMessage('back');
  await until(() => near?.length === 2 && away?.length === 1 && mine?.length === 1);
  expect(near).toEqual([message, 'back']);
  expect(away).toEqual([message]);
  expect(away?.[0]).not.toBe(near?.[0]);
  expect(mine).toEqual(['back']);
  expect([elsewhere, stranger]).toEqual([[], []]);
});

test('a channel hears what was posted after it was made, though its handler came later, and nothing once it is closed', async () => {
  const { BroadcastChannel } = openHost().client(origin);
  const poster = new BroadcastChannel('a');
  poster.postMessage('before');
  const late = new BroadcastChannel('a');
  const closed = new BroadcastChannel('a');
  poster.postMessage('after');
  const heard = hearing(late);
  const unheard = hearing(closed);
  closed.close();
  await until(() => heard.length === 1);
  expect(heard).toEqual(['after']);
  expect(unheard).toEqual([]);
  expect(() => closed.postMessage(1)).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
});

test('what cannot be cloned is refused at once', () => {
  const channel = new (openHost().client(origin).BroadcastChannel)('a');
  for (const value of [() => 1, Symbol('s'), new WeakMap(), { deep: [Promise.resolve()] }]) {
    expect(() => channel.postMessage(value)).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  }
  expect(() => Reflect.apply(channel.postMessage, channel, [])).toThrow(TypeError);
  channel.close();
});

test('handles of files travel', async () => {
  const host = openHost();
  const [one, other] = [host.client(origin), secondHost(host).client(origin)];
  const heard = hearing(new other.BroadcastChannel('files'));
  const directory = await (await one.storage.getDirectory()).getDirectoryHandle('d', { create: true });
  new one.BroadcastChannel('files').postMessage({ directory });
  await until(() => heard.length === 1);
  const { directory: arrived } = heard[0] as { directory: typeof directory };
  expect(await directory.isSameEntry(arrived)).toBe(true);
  expect(await arrived.getFileHandle('f', { create: true })).toMatchObject({ name: 'f' });
});

test('messages leave the disk soon after the last one', async () => {
  const host = openHost();
  const channel = new (host.client(origin).BroadcastChannel)('a');
  channel.postMessage(`secret${'x'.repeat(100_000)}`);
  const folder = path.join(host.root, 'origins/https_app.example/default/channels');
  const size = (): number =>
    fs.readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => sum + (entry.isFile() ? fs.statSync(path.join(folder, entry.name)).size : 0), 0);
  expect(size()).toBeGreaterThan(100_000);
  await until(() => size() < 1000);
  channel.close();
});

test('who slept through more than is kept gets one messageerror, and goes on', async () => {
  const host = openHost();
  const [one, other] = [host.client(origin), secondHost(host).client(origin)];
  const listener = new other.BroadcastChannel('a');
  const heard = hearing(listener);
  let errors = 0;
  listener.onmessageerror = () => (errors += 1);
  const poster = new one.BroadcastChannel('a');
  // In one turn, so that the other host sees nothing of it until it is over.
  for (let n = 0; n < 80; n += 1) poster.postMessage('x'.repeat(2 ** 17));
  poster.postMessage('last');
  await until(() => heard.at(-1) === 'last');
  expect([errors, heard.length < 81]).toEqual([1, true]);
  poster.close();
});

test('channels end with their client, and those of a closed one cannot be made', async () => {
  const client = openHost().client(origin);
  const channel = new client.BroadcastChannel('a');
  const heard = hearing(channel);
  client.close();
  expect(() => channel.postMessage(1)).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
  expect(() => new client.BroadcastChannel('a')).toThrow();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(heard).toEqual([]);
});
