import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
// Compiling these while a message waits may take longer than its files are kept.
import '../../src/host/file-code.ts';
import '../../src/host/lock-code.ts';
import type { StorageHost } from '../../src/index.ts';
import { sample } from './files/support.ts';
import { Canaries, key, newRoot, open, ORIGIN, until, within } from './parts.ts';
import { codeBehind, snapshotOf } from './support.ts';

type Channel = InstanceType<ReturnType<StorageHost['origin']>['BroadcastChannel']>;

function channelOf(host: StorageHost, name: string, heard: unknown[] = []): Channel {
  const channel = new (host.origin(ORIGIN).BroadcastChannel)(name);
  channel.onmessage = ({ data }) => heard.push(data);
  channel.onmessageerror = () => heard.push('error');
  return channel;
}

/** The files of Blobs in messages, whoever has them. */
function shared(root: string): string[] {
  const folder = within(root, 'default/swap');
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).flatMap((session) => fs.readdirSync(path.join(folder, session)).map((name) => path.join(folder, session, name)));
}

test('messages, and the Blobs in them, reach every host with the key, and show nothing of themselves', async () => {
  const root = newRoot();
  const canaries = new Canaries();
  const [name = '', text = '', content = '', fileName = ''] = Array.from({ length: 4 }, () => canaries.new());
  const [one, other] = [open(root), open(root)];
  const heard: unknown[] = [];
  channelOf(other, name, heard);
  const poster = channelOf(one, name);
  poster.postMessage({ text });
  expect(canaries.foundIn(root)).toEqual([]);
  poster.postMessage(new File([content, sample(200_000), content], fileName, { type: 'text/plain' }));
  poster.postMessage([new Blob([]), 'end']);
  await until(() => shared(root).length > 0);
  expect(canaries.foundIn(root)).toEqual([]);
  await until(() => heard.length === 3);
  expect(canaries.foundIn(root)).toEqual([]);
  const file = heard[1] as File;
  expect([heard[0], file.name, file.type, file.size]).toEqual([{ text }, fileName, 'text/plain', 200_000 + 2 * content.length]);
  await one.close();
  const bytes = Buffer.from(await file.arrayBuffer());
  expect(bytes.equals(Buffer.concat([Buffer.from(content), sample(200_000), Buffer.from(content)]))).toBe(true);
  expect(await file.slice(-content.length).text()).toBe(content);
  expect((heard[2] as [Blob])[0].size).toBe(0);
  // Whoever has it sends it on, as any other.
  channelOf(other, 'on').postMessage(file);
  await until(() => shared(root).length > 3);
  expect(canaries.foundIn(root)).toEqual([]);
});

test('a message in whose place of a Blob is that of another is a messageerror', async () => {
  const root = newRoot();
  const host = open(root);
  const heard: unknown[] = [];
  channelOf(host, 'c', heard);
  const poster = channelOf(host, 'c');
  const blobs = [1, 2].map((seed) => new Blob([sample(70_000, seed)]));
  poster.postMessage(blobs[0]);
  await until(() => heard.length === 1);
  const [first = ''] = shared(root);
  const { linkSync } = fs;
  fs.linkSync = (from, to) => {
    fs.copyFileSync(first, from);
    linkSync(from, to);
  };
  try {
    poster.postMessage(blobs[1]);
    await until(() => heard.length === 2);
  } finally {
    fs.linkSync = linkSync;
  }
  expect(heard[1]).toBe('error');
  poster.postMessage(blobs[1]);
  await until(() => heard.length === 3);
  expect(Buffer.from(await (heard[2] as Blob).arrayBuffer()).equals(sample(70_000, 2))).toBe(true);
});

test('a message that was changed on its way reaches nobody', async () => {
  const root = newRoot();
  const host = open(root);
  const poster = channelOf(host, 'c');
  poster.postMessage('first');
  const [generation = ''] = fs.readdirSync(within(root, 'default/channels')).filter((name) => /^\d+$/.test(name));
  const file = within(root, 'default/channels', generation);
  const heard: unknown[] = [];
  const listener = channelOf(open(root), 'c', heard);
  const size = fs.statSync(file).size;
  poster.postMessage('second');
  await until(() => heard.length === 1);
  const raw = fs.readFileSync(file);
  // The same message once more, as of another session: its header is put right, but nobody without the key can seal it.
  const frame = Buffer.from(raw.subarray(size));
  frame.writeUInt32LE(frame.readUInt32LE(32) + 1, 32);
  fs.appendFileSync(file, repaired(frame));
  expect(() => listener.postMessage('third')).toThrow(/channels\/0 is damaged: record 3 of session \d+ was changed, or is another journal's/);
  expect(heard).toEqual(['second']);
});

/** With the checksums that its bytes have now. docs/FORMAT.md, "Frame" */
function repaired(frame: Buffer): Buffer {
  const length = frame.readUInt32LE(16);
  frame.writeUInt32LE(crc32(frame.subarray(16, 40)), 40);
  frame.writeUInt32LE(crc32(Buffer.concat([frame.subarray(16, 40), frame.subarray(44, 44 + length)])), 44 + length);
  return frame;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

test('without the key there is no channel, and nothing is written', async () => {
  const root = newRoot();
  const first = open(root);
  channelOf(first, 'c').postMessage('x');
  await first.close();
  const before = snapshotOf(root);
  const later = async (): Promise<Uint8Array> => key;
  for (const [encryption, code] of [[{ key: new Uint8Array(32) }, 'key-wrong'], [null, 'key-missing'], [{ keyFor: later }, 'key-pending']] as const) {
    const host = open(root, encryption);
    expect(codeBehind(() => channelOf(host, 'c'))).toBe(code);
    expect(() => channelOf(host, 'c')).toThrow(expect.objectContaining({ name: 'SecurityError' }));
  }
  expect(snapshotOf(root)).toEqual(before);
  const host = open(root, { keyFor: later });
  await host.unlock(ORIGIN);
  const heard: unknown[] = [];
  channelOf(host, 'c', heard);
  channelOf(open(root), 'c').postMessage('there');
  await until(() => heard.length === 1);
});

test('a channel of a plain origin is refused', async () => {
  const root = newRoot();
  const first = open(root, null);
  channelOf(first, 'c').postMessage('x');
  await first.close();
  const before = snapshotOf(root);
  expect(codeBehind(() => channelOf(open(root), 'c'))).toBe('not-encrypted');
  expect(snapshotOf(root)).toEqual(before);
});
