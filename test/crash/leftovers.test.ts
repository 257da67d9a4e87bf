import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';
import { bundleFixture } from '../support/bundle.ts';
import { withDirectory } from './support/kill.ts';
import { bucketOf, createFile, namesIn, origin, stateOf, until } from './support/scenarios.ts';

let writer: string;

beforeAll(async () => {
  writer = await bundleFixture(new URL('./support/writer.ts', import.meta.url));
});

/** A root with a file, which nobody uses now. */
async function withRoot(body: (root: string, bucket: string) => Promise<void>): Promise<void> {
  await withDirectory(async (directory) => {
    const root = path.join(directory, 'root');
    await withHost(root, async (host) => createFile(await host.origin(origin).storage.getDirectory(), 'first', 'content'));
    const bucket = bucketOf(root);
    for (const folder of namesIn(path.join(bucket, 'swap'))) fs.rmSync(path.join(bucket, 'swap', folder), { recursive: true });
    await body(root, bucket);
  });
}

async function withHost(root: string, body: (host: StorageHost) => Promise<void>): Promise<void> {
  const host = new StorageHost({ root, ...encrypted });
  try {
    await body(host);
  } finally {
    await host.close();
  }
}

/** A process with an open writable, and the folder of its data. */
async function startWriter(root: string, bucket: string, name: string): Promise<{ child: ChildProcess; folder: string }> {
  const before = namesIn(path.join(bucket, 'swap'));
  const child = fork(writer, [root, name]);
  await once(child, 'message');
  const [folder = ''] = namesIn(path.join(bucket, 'swap')).filter((each) => !before.includes(each));
  return { child, folder: path.join(bucket, 'swap', folder) };
}

test('the data of a killed process goes with the next opener, that of a live one stays and counts', async () => {
  await withRoot(async (root, bucket) => {
    const live = await startWriter(root, bucket, 'live');
    const killed = await startWriter(root, bucket, 'killed');
    const exit = once(killed.child, 'exit');
    killed.child.kill('SIGKILL');
    await exit;
    expect([live.folder, killed.folder].map((folder) => namesIn(folder).length)).toEqual([1, 1]);
    await withHost(root, async (host) => {
      const client = host.origin(origin);
      await (await client.storage.getDirectory()).getFileHandle('first');
      await until(() => !fs.existsSync(killed.folder), 'for the end of the killed process\'s data');
      await until(() => namesIn(path.join(bucket, 'trash')).length === 0, 'for the trash to be empty');
      expect(namesIn(live.folder)).toHaveLength(1);
      const end = once(live.child, 'exit');
      live.child.send('close');
      await end;
      expect(await stateOf(client)).toBe('/first: content\n/killed: \n/live: written by the process of live');
    });
  });
});

test('a paused process is alive: its data stays', async () => {
  await withRoot(async (root, bucket) => {
    const paused = await startWriter(root, bucket, 'paused');
    const killed = await startWriter(root, bucket, 'killed');
    paused.child.kill('SIGSTOP');
    const exit = once(killed.child, 'exit');
    killed.child.kill('SIGKILL');
    await exit;
    await withHost(root, async (host) => {
      await (await host.origin(origin).storage.getDirectory()).getFileHandle('first');
      // The sweep has come to an end when what it had to take is gone.
      await until(() => !fs.existsSync(killed.folder), 'for the end of the killed process\'s data');
      expect(namesIn(paused.folder)).toHaveLength(1);
    });
    const end = once(paused.child, 'exit');
    paused.child.kill('SIGCONT');
    paused.child.send('close');
    await end;
    await withHost(root, async (host) => expect(await stateOf(host.origin(origin))).toContain('/paused: written by'));
  });
});

test('a removed tree that a killed process had no time to delete is deleted by the next opener', async () => {
  await withRoot(async (root, bucket) => {
    const tree = path.join(bucket, 'trash', `${crypto.randomUUID()}.1-x`);
    fs.mkdirSync(path.join(tree, 'a', 'b'), { recursive: true });
    for (let index = 0; index < 200; index++) fs.writeFileSync(path.join(tree, 'a', 'b', String(index)), 'x');
    await withHost(root, async (host) => {
      await (await host.origin(origin).storage.getDirectory()).getFileHandle('first');
      await until(() => namesIn(path.join(bucket, 'trash')).length === 0, 'for the trash to be empty');
    });
  });
});

test('an unfinished bucket goes with the next one that changes something, unless its builder may be at work', async () => {
  await withRoot(async (root) => {
    const workshop = path.join(root, 'new');
    const [stale, fresh] = [path.join(workshop, crypto.randomUUID()), path.join(workshop, crypto.randomUUID())];
    for (const draft of [stale, fresh]) fs.mkdirSync(path.join(draft, 'default', 'locks'), { recursive: true });
    const longAgo = new Date(Date.now() - 11 * 60_000);
    fs.utimesSync(stale, longAgo, longAgo);
    await withHost(root, async (host) => {
      await (await host.origin(origin).storage.getDirectory()).getFileHandle('second', { create: true });
      await until(() => !fs.existsSync(stale), 'for the end of the unfinished bucket');
      expect(namesIn(workshop)).toEqual([path.basename(fresh)]);
    });
  });
});
