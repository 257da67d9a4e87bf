import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bundleFixture } from '../support/bundle.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';
import { namesIn, origin, places } from './support.ts';

/*
 * Writers in several processes keep an order: each writes a number here, then there, then elsewhere. Of one moment is a
 * copy in which no later place is ahead of an earlier one, and none is behind by more than one.
 */
const place = places();
const writers = new Map<string, ChildProcess>();

afterEach(() => {
  for (const writer of writers.values()) writer.kill('SIGKILL');
  writers.clear();
});

async function start(id: string): Promise<void> {
  const program = await bundleFixture(new URL('./writer-fixture.ts', import.meta.url));
  const writer = fork(program, [place().root, id, origin], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  writers.set(id, writer);
  await once(writer, 'message');
}

async function kill(id: string): Promise<void> {
  const writer = writers.get(id);
  if (writer === undefined) return;
  const ended = once(writer, 'exit');
  writer.kill('SIGKILL');
  await ended;
}

async function textOf(directory: FileSystemDirectoryHandle, name: string): Promise<string> {
  return await (await (await directory.getFileHandle(name)).getFile()).text().catch(() => '');
}

/** What is wrong with what one writer has left in a copy. */
async function violations(client: StorageClient, id: string): Promise<string[]> {
  const { localStorage } = client;
  const number = (name: string): number => Number(localStorage.getItem(`${id} ${name}`) ?? 0);
  const own = (await (await client.storage.getDirectory()).getDirectoryHandle(`of ${id}`)) as unknown as FileSystemDirectoryHandle;
  const names = await namesIn(own as unknown as { keys(): AsyncIterable<string> });
  const [at = '', ...others] = names.filter((name) => name.startsWith('at '));
  const cached = await (await client.caches.match(`https://app.example/${id}`))?.text();
  const counted = names.includes('counted') ? Number(await textOf(own, 'counted')) : number('second');
  const steps = [number('first'), counted, number('second'), Number(cached ?? 0), number('third'), Number(at.slice(3)), number('fourth')];
  const wrong: string[] = [];
  if (others.length > 0 || at === '') wrong.push(`${id} has ${names.join(', ')}`);
  for (const [index, step] of steps.entries()) if (index > 0 && step > (steps[index - 1] ?? 0)) wrong.push(`${id}: step ${index} is ahead in ${steps.join(' ')}`);
  if ((steps[0] ?? 0) - (steps.at(-1) ?? 0) > 1) wrong.push(`${id}: steps are apart in ${steps.join(' ')}`);
  const inPlace = Buffer.from(await (await (await own.getFileHandle('in place')).getFile()).arrayBuffer());
  if (inPlace.some((byte) => byte !== inPlace[0])) wrong.push(`${id}: the file that is written to in place has two contents`);
  return wrong;
}

const rounds = Number(process.env['HOLDFAST_BACKUP_ROUNDS'] ?? 3);

test('every restored origin is as it was at one moment, while processes write, move, are killed and start again', { timeout: 240_000 + rounds * 30_000 }, async () => {
  const ids = ['one', 'two'];
  await Promise.all(ids.map(start));
  const { backups, home, host } = place();
  const host1 = host();
  const steps = (client: StorageClient): number => ids.reduce((sum, id) => sum + Number(client.localStorage.getItem(`${id} first`)), 0);
  let last = -1;
  for (let round = 0; round < rounds; round += 1) {
    const { problems } = await host1.backup(backups);
    // Which of an encrypted origin's files it is nobody can tell by its path.
    expect(problems.filter(({ kind, path: at }) => kind !== 'apart' || (!isEncrypted && !at.endsWith('in place')))).toEqual([]);
    const root = path.join(home, `restored ${round}`);
    await StorageHost.restore({ from: backups, root, ...encrypted });
    const client = host(root).origin(origin);
    for (const id of ids) expect(await violations(client, id)).toEqual([]);
    expect(steps(client)).toBeGreaterThan(last);
    last = steps(client);
    // They go on meanwhile.
    await expect.poll(() => steps(host1.origin(origin))).toBeGreaterThan(last);
    if (round % 2 === 1) {
      const [id = ''] = ids.slice((round >> 1) % ids.length);
      await kill(id);
      await start(id);
    }
  }
});
