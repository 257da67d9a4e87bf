import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { embeddedHub, startHub } from '../../../src/sync/index.ts';
import type { Hub } from '../../../src/sync/hub.ts';
import { HubStore } from '../../../src/sync/hubs/embedded/server/hub-store.ts';
import { Uploads } from '../../../src/sync/hubs/embedded/server/uploads.ts';
import { entry, temporaryRoot } from './in-process.ts';

const PART = 2 ** 16;

function blob(): { name: string; bytes: Uint8Array } {
  const bytes = randomBytes(PART);
  return { name: createHash('sha256').update(bytes).digest('hex'), bytes };
}

const full = expect.objectContaining({ code: 'hub-full' }) as Error;

function begun(root: string, most: number): Uploads {
  const uploads = new Uploads(root, most);
  fs.mkdirSync(root, { recursive: true });
  uploads.begin();
  return uploads;
}

describe('blobs that nothing names', () => {
  test('are bounded for each token, over all of its logs', async () => {
    const tokenFile = path.join(temporaryRoot(), '..', 'tokens');
    fs.writeFileSync(tokenFile, 'write eu token-of-eu\nwrite us token-of-us\n');
    const running = await startHub({ root: temporaryRoot(), tokenFile, maxUnnamedBytes: 2 ** 20 });
    onTestFinished(() => running.close());
    const { url } = running;
    const client = (token: string): Hub => {
      const hub = embeddedHub({ url, token });
      onTestFinished(() => hub.close());
      return hub;
    };
    const [eu, us] = [client('token-of-eu'), client('token-of-us')];
    const put = async (hub: Hub, log: string): Promise<void> => {
      const { name, bytes } = blob();
      await hub.log(log).putBlob(name, bytes);
    };
    for (let count = 0; count < 16; count++) await put(eu, `log ${count % 3}`);
    await expect(put(eu, 'log 4')).rejects.toThrow(full);
    await put(us, 'log 0');
    // What goes on without blobs does.
    expect(await eu.log('log 0').append([entry('a')])).toBe(1);
  });

  test('count again after a start, and for some days where a hub was killed', () => {
    const root = temporaryRoot();
    const [first, second] = [blob().name, blob().name];
    const before = begun(root, 2 * PART);
    expect([before.charge('eu', 'log', first, 10), before.charge('eu', 'log', first, 10), before.charge('eu', 'log', second, PART)]).toEqual([true, false, true]);
    const after = begun(root, 2 * PART);
    expect(after.heldBy('eu')).toBe(2 * PART);
    expect(() => after.charge('eu', 'log', blob().name, 1)).toThrow(full);
    after.settle('another log', [first]);
    expect(after.heldBy('eu')).toBe(2 * PART);
    after.settle('log', [first, first]);
    expect([after.heldBy('eu'), begun(root, PART).heldBy('eu')]).toEqual([PART, PART]);
    const [mark = ''] = fs.readdirSync(path.join(root, 'uploads', 'eu'));
    fs.utimesSync(path.join(root, 'uploads', 'eu', mark), 1, 1);
    expect([begun(root, PART).heldBy('eu'), fs.readdirSync(path.join(root, 'uploads', 'eu'))]).toEqual([0, []]);
  });

  test('count nothing where they could not be written', async () => {
    const store = new HubStore(temporaryRoot(), () => undefined, { unnamedBytes: PART });
    store.places.prepare();
    store.uploads.begin();
    onTestFinished(() => store.close());
    const { blobs } = store.log('log');
    const write = vi.spyOn(store.places, 'write').mockRejectedValueOnce(new Error('the disk'));
    const { name, bytes } = blob();
    await expect(blobs.put(name, bytes, 'eu')).rejects.toThrow('the disk');
    expect([write.mock.calls.length, store.uploads.heldBy('eu')]).toEqual([1, 0]);
    await blobs.put(name, bytes, 'eu');
    expect(store.uploads.heldBy('eu')).toBe(PART);
  });
});
