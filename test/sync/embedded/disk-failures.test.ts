import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { connected, entry, startedHub } from './in-process.ts';

describe('when the disk fails', () => {
  const broken = (code: string): Error => Object.assign(new Error(`${code}: of the test`), { code });

  test('a full one refuses an append, which is then not there, and takes the next when there is room', async () => {
    const errors: unknown[] = [];
    const { url } = await startedHub({ onError: (error) => errors.push(error) });
    const log = (await connected(url)).log('log');
    await log.append([entry('before')]);
    const write = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw broken('ENOSPC');
    });
    await expect(log.append([entry('lost')])).rejects.toMatchObject({ code: 'hub-unreachable', message: expect.stringContaining('the disk is full') });
    write.mockRestore();
    expect(errors).toHaveLength(1);
    await log.append([entry('after')]);
    expect((await log.read(0, 10)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['before', 'after']);
  });

  test('after a sync that failed, what was committed is written anew before anything of it is shown', async () => {
    const first = await startedHub();
    const hub = await connected(first.url);
    const log = hub.log('log');
    await log.append([entry('before')]);
    const commits = path.join(first.root, 'commits');
    const generation = fs.readdirSync(commits);
    const sync = vi.spyOn(fs, 'fdatasyncSync').mockImplementation(() => {
      throw broken('EIO');
    });
    const doubtful = entry('doubtful');
    await expect(log.append([doubtful])).rejects.toMatchObject({ code: 'hub-unreachable' });
    // It is in the journal; were it shown or acknowledged now, a power loss could still take it.
    await expect(log.append([doubtful])).rejects.toMatchObject({ code: 'hub-unreachable' });
    await expect(log.read(1, 1)).rejects.toMatchObject({ code: 'hub-unreachable' });
    sync.mockRestore();
    expect(await log.append([doubtful])).toBe(2);
    expect(fs.readdirSync(commits)).not.toEqual(generation);
    expect(await hub.log('other').append([entry('a')])).toBe(1);
    await first.close();
    const { url } = await startedHub({ root: first.root });
    const again = (await connected(url)).log('log');
    expect((await again.read(0, 10)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['before', 'doubtful']);
  });

  test('what a killed server left unsynced is synced before anybody sees it', async () => {
    const first = await startedHub();
    await (await connected(first.url)).log('log').append([entry('a')]);
    await first.close();
    const { url } = await startedHub({ root: first.root });
    const again = (await connected(url)).log('log');
    const sync = vi.spyOn(fs, 'fsyncSync');
    onTestFinished(() => sync.mockRestore());
    await again.read(0, 1);
    expect(sync).toHaveBeenCalledTimes(1);
    await again.read(0, 1);
    expect(sync).toHaveBeenCalledTimes(1);
  });
});
