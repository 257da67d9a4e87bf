import { expect, onTestFinished, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { embeddedHub } from '../../src/sync/index.ts';
import { encrypted } from '../support/sealed.ts';
import { startedHub, temporaryRoot, TOKEN } from '../sync/embedded/in-process.ts';
import { namesOf, origin, read, write } from './support.ts';

test('an origin that follows a hub is given again what it had after its backup, and goes on as a region', async () => {
  const [root, backups, hub] = [temporaryRoot(), temporaryRoot(), await startedHub()];
  const open = (at: string, region: string): StorageHost => {
    const host = new StorageHost({ root: at, sync: { hub: embeddedHub({ url: hub.url, token: TOKEN }), region }, ...encrypted });
    onTestFinished(() => host.close());
    return host;
  };
  const other = open(temporaryRoot(), 'us').origin(origin);
  const host = open(root, 'eu');
  const client = host.origin(origin);
  client.localStorage.setItem('mine', 'before');
  await write(client, 'file', 'before');
  await client.sync?.flush();
  await host.backup(backups);

  client.localStorage.setItem('mine', 'after');
  client.localStorage.setItem('late', 'after');
  await write(client, 'file', 'after');
  await write(client, 'new', 'after');
  await client.sync?.flush();
  await other.sync?.caughtUp();
  other.localStorage.setItem('theirs', 'after');
  await other.sync?.flush();
  await host.close();

  await StorageHost.restore({ from: backups, root, origin, replace: true, ...encrypted });
  const alone = new StorageHost({ root, ...encrypted });
  expect({ ...alone.origin(origin).localStorage }).toEqual({ mine: 'before' });
  expect(await read(alone.origin(origin), 'file')).toBe('before');
  await alone.close();

  const restored = open(root, 'eu').origin(origin);
  await restored.sync?.caughtUp();
  expect({ ...restored.localStorage }).toEqual({ mine: 'after', late: 'after', theirs: 'after' });
  expect(await namesOf(restored)).toEqual(['file', 'new']);
  expect(await read(restored, 'file')).toBe('after');
  restored.localStorage.setItem('mine', 'anew');
  await write(restored, 'file', 'anew');
  await restored.sync?.flush();
  await other.sync?.caughtUp();
  expect({ ...other.localStorage }).toEqual({ mine: 'anew', late: 'after', theirs: 'after' });
  expect(await read(other, 'file')).toBe('anew');
  expect(restored.sync?.status()).toMatchObject({ pending: 0, rejected: 0, problem: '' });
});
