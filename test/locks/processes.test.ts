import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LockTable } from '../../src/disk/locks/table.ts';
import { threadIdentity } from '../../src/runtime/identity.ts';
import { temporaryBucket } from './bucket.ts';
import { startPeer, type LockPeer, type PeerKind } from './peer.ts';
import type { PeerOptions } from './peer-fixture.ts';

let bucket: ReturnType<typeof temporaryBucket>;
let peers: LockPeer[] = [];
let tables: LockTable[] = [];

beforeEach(() => {
  bucket = temporaryBucket();
  bucket.ensure();
});

afterEach(async () => {
  await Promise.all(peers.map((peer) => peer.kill()));
  await Promise.all(tables.map((table) => table.close()));
  peers = [];
  tables = [];
  bucket.remove();
});

async function start(kind: PeerKind = 'process', options: Partial<PeerOptions> = {}): Promise<LockPeer> {
  const peer = await startPeer(kind, { bucket: bucket.path, ...options });
  peers.push(peer);
  return peer;
}

function here(options: ConstructorParameters<typeof LockTable>[1] = {}): LockTable {
  const table = new LockTable(bucket, options);
  tables.push(table);
  return table;
}

async function until(condition: () => unknown): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const exclusive = { name: 'a', mode: 'exclusive', clientId: 'here', ifAvailable: false, steal: false } as const;
const elsewhere: PeerKind[] = ['process', 'worker'];

describe.each(elsewhere)('a %s', (kind) => {
  it('excludes others from a web lock, and hands it on when it releases', async () => {
    const [one, two] = [await start(kind), await start(kind)];
    const first = await one.call('request', {});
    await one.event('granted', first);
    const second = await two.call('request', {});
    expect(await two.call('query')).toEqual({
      held: [{ name: 'a', mode: 'exclusive', clientId: 'c' }],
      pending: [{ name: 'a', mode: 'exclusive', clientId: 'c' }],
    });
    expect(two.count('granted', second)).toBe(0);
    await one.call('releaseWeb', first);
    await two.event('granted', second);
  });

  it('excludes others from a file, and from the directories above it', async () => {
    const peer = await start(kind);
    const table = here();
    const lock = await peer.call('lockFile', ['d', 'f'], 'exclusive');
    expect(await table.lockFile(['d', 'f'], 'read-only')).toBeNull();
    const remove = table.operate({ operation: 'remove', kind: 'directory', source: ['d'] }, () => ({ changed: true, value: 0 }));
    await expect(remove).rejects.toThrow("'/d/f' is locked");
    await peer.call('releaseFile', lock ?? 0);
    expect(await table.lockFile(['d', 'f'], 'read-only')).not.toBeNull();
  });

  it('that is killed gives up what it held to whoever waits', async () => {
    const peer = await start(kind);
    const held = await peer.call('request', {});
    await peer.event('granted', held);
    const waiting = here().request(exclusive);
    await peer.kill();
    expect(await waiting.granted).not.toBeNull();
  });

  it('that is killed is in nobody\'s way at once', async () => {
    const peer = await start(kind);
    await peer.call('lockFile', ['f'], 'exclusive');
    await peer.event('granted', await peer.call('request', {}));
    await peer.kill();
    const table = here();
    expect(await table.lockFile(['f'], 'exclusive')).not.toBeNull();
    expect(await table.request({ ...exclusive, ifAvailable: true }).granted).not.toBeNull();
    expect(table.query().held).toHaveLength(1);
  });

  it('that is killed while it waits is passed over', async () => {
    const [one, two] = [await start(kind), await start(kind)];
    const first = await one.call('request', {});
    await one.event('granted', first);
    await two.call('request', {});
    const third = here().request(exclusive);
    await two.kill();
    await one.call('releaseWeb', first);
    expect(await third.granted).not.toBeNull();
  });

  it('hears that its lock was stolen', async () => {
    const peer = await start(kind);
    const held = await peer.call('request', {});
    await peer.event('granted', held);
    expect(await here().request({ ...exclusive, steal: true }).granted).not.toBeNull();
    await peer.event('lost', held);
  });

  it('reports its changes to others', async () => {
    const peer = await start(kind);
    const changes: unknown[] = [];
    here().subscribe(({ operation, source }) => changes.push([operation, source]), () => {});
    const create = await peer.call('operate', { operation: 'create', kind: 'file', source: ['f'] });
    await peer.event('running', create);
    await peer.call('finish', create, true);
    await until(() => changes.length > 0);
    expect(changes).toEqual([['create', ['f']]]);
  });
});

describe('fairness', () => {
  it('grants in the order of the requests, whoever made them', async () => {
    const realms = [await start(), await start(), await start('worker')];
    const first = await realms[0]?.call('request', {});
    const granted: number[] = [];
    const all: Promise<void>[] = [];
    for (let index = 0; index < 15; index++) {
      const peer = realms[index % 3];
      const id = (await peer?.call('request', {})) ?? 0;
      all.push(
        (async () => {
          await peer?.event('granted', id);
          granted.push(index);
          await peer?.call('releaseWeb', id);
        })(),
      );
    }
    await realms[0]?.call('releaseWeb', first ?? 0);
    await Promise.all(all);
    expect(granted).toEqual(Array.from({ length: 15 }, (_, index) => index));
  });
});

describe('abort against grant', () => {
  it('has exactly one winner, and the loser leaves no lock behind', async () => {
    const [holder, waiter] = [await start(), await start()];
    let aborted = 0;
    for (let round = 0; round < 40; round++) {
      const held = await holder.call('request', {});
      await holder.event('granted', held);
      const waiting = await waiter.call('request', {});
      const [, won] = await Promise.all([holder.call('releaseWeb', held), waiter.call('abort', waiting)]);
      if (won) aborted++;
      else {
        await waiter.event('granted', waiting);
        await waiter.call('releaseWeb', waiting);
      }
      expect(waiter.count('granted', waiting)).toBe(0);
      expect(await holder.call('query')).toEqual({ held: [], pending: [] });
    }
    expect(aborted).toBeLessThanOrEqual(40);
  });
});

describe('a holder that does not answer', () => {
  it('keeps its lock while it is stopped, and the waiter is granted once it goes on and releases', async () => {
    const [holder, waiter] = [await start('process', { leaseMs: 200 }), await start('process', { leaseMs: 200 })];
    const held = await holder.call('request', {});
    await holder.event('granted', held);
    holder.signal('SIGSTOP');
    const waiting = await waiter.call('request', {});
    // Ten leases long.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect(waiter.count('granted', waiting)).toBe(0);
    holder.signal('SIGCONT');
    await holder.call('releaseWeb', held);
    await waiter.event('granted', waiting);
  });

  it('is dead when its number belongs to a thread that started at another time', async () => {
    const peer = await start('process', { startedAt: 1 });
    await peer.call('lockFile', ['f'], 'exclusive');
    expect(await here().lockFile(['f'], 'exclusive')).not.toBeNull();
  });
});

describe('realms that agree by a name', () => {
  it.each(elsewhere)('ring for a %s that holds it, which hears what stirred', async (kind) => {
    const [holder, other] = [await start(kind, { polling: 'never' }), await start(kind)];
    await holder.event('granted', await holder.call('request', { name: 'c', mode: 'shared' }));
    await holder.call('watch', 'c');
    // Its first look is over then, and its bell there.
    await holder.call('pause', 200);
    await other.call('request', { name: 'c', clientId: 'upgrade' });
    expect(holder.count('stirred', 0)).toBe(0);
    await other.call('ring', 'c');
    await holder.event('stirred');
    expect(await holder.call('parties', 'c')).toEqual({
      held: [{ name: 'c', mode: 'shared', clientId: 'c', isOwn: true }],
      pending: [{ name: 'c', mode: 'exclusive', clientId: 'upgrade', isOwn: false }],
    });
  });

  it('look again and again for one who was killed, where they are keen', async () => {
    const [holder, waiter] = [await start(), await start('process', { polling: 'never', keenMs: 600_000 })];
    await holder.event('granted', await holder.call('request', {}));
    const waiting = await waiter.call('request', {});
    // The first look of a new waiter is over then.
    await waiter.call('pause', 200);
    await holder.kill();
    await waiter.event('granted', waiting);
  });
});

describe('waiting', () => {
  it.each([
    ['by a watch alone', { polling: 'never' }],
    ['without a watch', { watching: 'refused' }],
  ] as const)('ends after the release, %s', async (_, options) => {
    const [holder, waiter] = [await start(), await start('process', options)];
    for (let round = 0; round < 5; round++) {
      const held = await holder.call('request', {});
      await holder.event('granted', held);
      const waiting = await waiter.call('request', {});
      // The first look of a new waiter is over then.
      await waiter.call('pause', 200);
      await holder.call('releaseWeb', held);
      await waiter.event('granted', waiting);
      await waiter.call('releaseWeb', waiting);
    }
  });

  it('keeps a process alive; holding, listening and being open do not', async () => {
    const [holder, idle, waiter] = [await start(), await start(), await start()];
    await idle.call('subscribe');
    await idle.call('lockFile', ['f'], 'exclusive');
    const held = await holder.call('request', {});
    await holder.event('granted', held);
    await waiter.call('request', {});
    await waiter.call('disconnect');
    await idle.call('disconnect');
    expect(await idle.exited).toBe(0);
    const stillThere = await Promise.race([waiter.exited.then(() => false), new Promise((resolve) => setTimeout(() => resolve(true), 1500))]);
    expect(stillThere).toBe(true);
    await holder.call('releaseWeb', held);
    expect(await waiter.exited).toBe(0);
  });
});

describe('an operation whose process was killed', () => {
  it.each([
    ['create', true],
    ['create', false],
    ['remove', true],
    ['remove', false],
    ['move', true],
    ['move', false],
  ] as const)('%s counts as done only if it was: %s', async (operation, happened) => {
    const peer = await start();
    const file = (name: string): string => path.join(bucket.path, 'files.0', name);
    if (operation !== 'create') fs.writeFileSync(file('f'), '');
    const target = operation === 'move' ? { target: ['g'] } : {};
    const id = await peer.call('operate', { operation, kind: 'file', source: ['f'], ...target });
    await peer.event('running', id);
    if (happened && operation === 'create') fs.writeFileSync(file('f'), '');
    if (happened && operation === 'remove') fs.unlinkSync(file('f'));
    if (happened && operation === 'move') fs.renameSync(file('f'), file('g'));
    const changes: string[] = [];
    const table = here();
    table.subscribe((change) => changes.push(change.operation), () => {});
    await peer.kill();
    await table.operate({ operation: 'modify', kind: 'file', source: ['f'] }, () => ({ changed: true, value: 0 }));
    expect(changes).toEqual(happened ? [operation, 'modify'] : ['modify']);
  });
});

const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;

describe.skipIf(!canUnshare)('a holder in another PID namespace', () => {
  const leaseMs = 600;

  it('keeps its locks by its lease as long as it lives', async () => {
    const peer = await start('namespace', { leaseMs });
    await peer.call('lockFile', ['f'], 'exclusive');
    // Whoever looks on waits longer than a busy machine lets a process stand still.
    const longerMs = 10 * leaseMs;
    const table = here({ leaseMs: longerMs });
    await table.lockFile(['f'], 'exclusive');
    const waiting = table.request(exclusive);
    await waiting.granted;
    await new Promise((resolve) => setTimeout(resolve, 2 * longerMs));
    expect(await table.lockFile(['f'], 'exclusive')).toBeNull();
  });

  it('that was stopped and fenced changes nothing when it goes on, and hears of it', async () => {
    const file = path.join(bucket.path, 'files.0', 'f');
    fs.writeFileSync(file, 'old ');
    const peer = await start('namespace', { leaseMs });
    const lock = (await peer.call('lockFile', ['f'], 'exclusive')) ?? 0;
    const descriptor = await peer.call('open', 'f');
    peer.signal('SIGSTOP');
    const table = here({ leaseMs });
    await until(async () => (await table.lockFile(['f'], 'exclusive')) !== null);
    expect(table.epoch()).toBe(1);
    const fenced = path.join(bucket.path, 'files.1', 'f');
    expect(fs.readFileSync(fenced, 'utf8')).toBe('old ');
    fs.writeFileSync(fenced, 'new ');
    peer.signal('SIGCONT');
    await peer.call('write', descriptor, 'lost');
    await until(() => peer.call('isLost', lock));
    expect(fs.readFileSync(fenced, 'utf8')).toBe('new ');
    expect(fs.existsSync(path.join(bucket.path, 'files.0'))).toBe(false);
    expect(await peer.call('lockFile', ['f'], 'exclusive')).toBeNull();
  });

  it('whose operation was fenced is told so, and what it did is told to others', async () => {
    const peer = await start('namespace', { leaseMs });
    const id = await peer.call('operate', { operation: 'create', kind: 'file', source: ['f'] });
    await peer.event('running', id);
    fs.writeFileSync(path.join(bucket.path, 'files.0', 'f'), '');
    peer.signal('SIGSTOP');
    const table = here({ leaseMs });
    const changes: string[] = [];
    table.subscribe((change) => changes.push(change.operation), () => {});
    await table.operate({ operation: 'remove', kind: 'file', source: ['f'] }, () => ({ changed: true, value: 0 }));
    expect(changes).toEqual(['create', 'remove']);
    peer.signal('SIGCONT');
    await peer.call('finish', id, true);
    expect((await peer.event('failed', id)).message).toMatch(/declared it dead/);
    expect(await peer.call('epoch')).toBe(1);
  });

  it('that was killed makes others wait for its lease only', async () => {
    const peer = await start('namespace', { leaseMs });
    await peer.event('granted', await peer.call('request', {}));
    await peer.kill();
    expect(await here({ leaseMs }).request(exclusive).granted).not.toBeNull();
  });
});

describe('the folder of a realm', () => {
  it('is dead only when no session has it any more', async () => {
    const peer = await start();
    await peer.call('lockFile', ['f'], 'siloed');
    const folder = await peer.call('folder');
    const table = here();
    expect(table.isDead(folder)).toBe(false);
    expect(table.isDead(table.folder)).toBe(false);
    await peer.kill();
    expect(table.isDead(folder)).toBe(true);
  });
});

describe('identity', () => {
  it('is that of a thread, not of a process', async () => {
    const identity = threadIdentity();
    expect(identity.pid).toBe(process.pid);
    const worker = await start('worker');
    await worker.call('lockFile', ['f'], 'exclusive');
    expect(await here().lockFile(['f'], 'exclusive')).toBeNull();
  });
});
