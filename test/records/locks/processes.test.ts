import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { temporaryBucket } from '../../locks/bucket.ts';
import { startPeer, type DatabasePeer, type PeerKind } from './peer.ts';

let bucket: ReturnType<typeof temporaryBucket>;
let peers: DatabasePeer[];

beforeEach(() => {
  bucket = temporaryBucket();
  bucket.ensure();
  peers = [];
});

afterEach(async () => {
  await Promise.all(peers.map((peer) => peer.kill()));
  bucket.remove();
});

async function start(kind: PeerKind, count: 2): Promise<[DatabasePeer, DatabasePeer]>;
async function start(kind: PeerKind, count: 3): Promise<[DatabasePeer, DatabasePeer, DatabasePeer]>;
async function start(kind: PeerKind, count: number): Promise<DatabasePeer[]> {
  const started = await Promise.all(Array.from({ length: count }, () => startPeer(kind, bucket.path)));
  peers.push(...started);
  return started;
}

async function granted(peer: DatabasePeer, id: number): Promise<number> {
  await peer.event('granted', id);
  return id;
}

/** It waits, and looks at who is in its way. */
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

const kinds: PeerKind[] = ['process', 'worker'];

describe.each(kinds)('among realms that are each a %s', (kind) => {
  it('the queue, writers and readers have their turns in the order of the calls', async () => {
    const [one, two, three] = await start(kind, 3);
    for (const claim of ['queue', 'write'] as const) {
      const first = await granted(one, await one.call(claim, 'x'));
      const second = await two.call(claim, 'x');
      const third = await three.call(claim, 'x');
      await one.call('release', first);
      await granted(two, second);
      expect(three.count('granted', third)).toBe(0);
      await two.call('release', second);
      await granted(three, third);
      await three.call('release', third);
    }
  });

  it('a snapshot waits for the writers that came before it', async () => {
    const [one, two, three] = await start(kind, 3);
    const writer = await granted(one, await one.call('write', 'x'));
    const snapshot = await two.call('writersBefore', 'x');
    const next = await three.call('write', 'x');
    await granted(three, await three.call('writersBefore', 'y'));
    expect(two.count('granted', snapshot)).toBe(0);
    await one.call('release', writer);
    await granted(two, snapshot);
    await granted(three, next);
  });

  it('connections are told, and whoever wants to be alone is blocked when all have been', async () => {
    const [one, two, three] = await start(kind, 3);
    const [stays, silent, closes] = [await one.call('connect', 'x', 'stays'), await two.call('connect', 'x', 'is silent'), await two.call('connect', 'x', 'closes')];
    const queue = await granted(three, await three.call('queue', 'x'));
    const alone = await three.call('alone', 'x', 5);
    expect((await one.event('wanted', stays)).newVersion).toBe(5);
    expect((await two.event('wanted', closes)).newVersion).toBe(5);
    await two.event('wanted', silent);
    await pause();
    expect(three.count('blocked', alone)).toBe(0);
    await two.call('release', silent);
    await three.event('blocked', alone);
    expect(three.count('granted', alone)).toBe(0);
    await one.call('release', stays);
    await granted(three, alone);
    await three.call('release', alone);
    await three.call('release', queue);
    expect([three.count('blocked', alone), one.count('wanted', stays)]).toEqual([0, 0]);
    expect([await one.call('busy'), await two.call('busy'), await three.call('busy')]).toEqual([false, false, false]);
  });

  it('nobody is blocked where all close', async () => {
    const [one, two, three] = await start(kind, 3);
    await one.call('connect', 'x', 'closes');
    await two.call('connect', 'x', 'closes');
    const alone = await granted(three, await three.call('alone', 'x', null));
    expect(three.count('blocked', alone)).toBe(0);
  });

  it('everybody is told of every want, once', async () => {
    const [one, two, three] = await start(kind, 3);
    const bystander = await three.call('connect', 'x', 'closes');
    for (const version of [2, 3]) {
      const open = await one.call('connect', 'x', 'stays');
      const alone = await two.call('alone', 'x', version);
      expect((await one.event('wanted', open)).newVersion).toBe(version);
      await two.event('blocked', alone);
      await one.call('release', open);
      await granted(two, alone);
      await two.call('release', alone);
      expect(one.count('wanted', open)).toBe(0);
    }
    expect(three.count('wanted', bystander)).toBe(1);
  });

  it('a file is held until the last realm lets go of it, or has ended', async () => {
    const [one, two, three] = await start(kind, 3);
    const held = await one.call('hold', 'x', 1);
    await two.call('hold', 'x', 1);
    expect(await three.call('isHeld', 'x', 1)).toBe(true);
    await one.call('release', held);
    expect([await three.call('isHeld', 'x', 1), await one.call('isHeld', 'x', 1)]).toEqual([true, true]);
    await two.kill();
    expect([await three.call('isHeld', 'x', 1), await one.call('isHeld', 'x', 1)]).toEqual([false, false]);
  });
});

describe.each(kinds)('a %s that is killed', (kind) => {
  it('with the queue leaves it to the next one', async () => {
    const [one, two] = await start(kind, 2);
    await granted(one, await one.call('queue', 'x'));
    const next = await two.call('queue', 'x');
    await one.kill();
    await granted(two, next);
  });

  it('while it waits in the queue is not waited for', async () => {
    const [one, two, three] = await start(kind, 3);
    const first = await granted(one, await one.call('queue', 'x'));
    await two.call('queue', 'x');
    const third = await three.call('queue', 'x');
    await two.kill();
    await one.call('release', first);
    await granted(three, third);
  });

  it('with a connection, before it has heard of a want, is no longer in the way', async () => {
    const [one, two] = await start(kind, 2);
    const silent = await one.call('connect', 'x', 'is silent');
    const alone = await two.call('alone', 'x', 1);
    await one.event('wanted', silent);
    await one.kill();
    await granted(two, alone);
    expect(two.count('blocked', alone)).toBe(0);
  });

  it('with a connection, after it has answered, is no longer in the way', async () => {
    const [one, two] = await start(kind, 2);
    await one.call('connect', 'x', 'stays');
    const alone = await two.call('alone', 'x', 1);
    await two.event('blocked', alone);
    await one.kill();
    await granted(two, alone);
  });

  it('and has not answered lets the answers of others decide', async () => {
    const [one, two, three] = await start(kind, 3);
    const silent = await one.call('connect', 'x', 'is silent');
    await two.call('connect', 'x', 'stays');
    const alone = await three.call('alone', 'x', 1);
    await one.event('wanted', silent);
    await one.kill();
    await three.event('blocked', alone);
    await two.kill();
    await granted(three, alone);
  });

  it('while it waits to be alone leaves nothing behind', async () => {
    const [one, two, three] = await start(kind, 3);
    const stays = await one.call('connect', 'x', 'stays');
    await granted(two, await two.call('queue', 'x'));
    await two.event('blocked', await two.call('alone', 'x', 1));
    const queue = await three.call('queue', 'x');
    await two.kill();
    await granted(three, queue);
    const open = await three.call('connect', 'x', 'stays');
    await three.call('release', open);
    const alone = await three.call('alone', 'x', 2);
    expect((await one.event('wanted', stays)).newVersion).toBe(1);
    expect((await one.event('wanted', stays)).newVersion).toBe(2);
    await three.event('blocked', alone);
    await one.call('release', stays);
    await granted(three, alone);
    expect(await one.call('busy')).toBe(false);
  });

  it('while it was alone leaves the database to the next one', async () => {
    const [one, two] = await start(kind, 2);
    await granted(one, await one.call('queue', 'x'));
    const own = await one.call('connect', 'x', 'stays');
    await granted(one, await one.call('alone', 'x', 1, own));
    const queue = await two.call('queue', 'x');
    await one.kill();
    await granted(two, queue);
    await granted(two, await two.call('alone', 'x', 1));
  });

  it('while it writes leaves its turn to the next one, and to snapshots that wait', async () => {
    const [one, two, three] = await start(kind, 3);
    await granted(one, await one.call('write', 'x'));
    const snapshot = await two.call('writersBefore', 'x');
    const reader = await two.call('read', 'x');
    const next = await three.call('write', 'x');
    await one.kill();
    await granted(two, snapshot);
    await granted(two, reader);
    await two.call('release', reader);
    await granted(three, next);
  });

  it('while it waits for its turn to write is not waited for', async () => {
    const [one, two, three] = await start(kind, 3);
    const first = await granted(one, await one.call('write', 'x'));
    await two.call('write', 'x');
    const third = await three.call('write', 'x');
    await two.kill();
    await one.call('release', first);
    await granted(three, third);
  });
});

describe('a process', () => {
  it('that is stopped keeps what it has, and answers when it goes on', async () => {
    const [one, two] = await start('process', 2);
    const open = await one.call('connect', 'x', 'stays');
    const writer = await granted(one, await one.call('write', 'x'));
    one.signal('SIGSTOP');
    const alone = await two.call('alone', 'x', 9);
    const next = await two.call('write', 'x');
    await pause();
    await pause();
    expect([two.count('blocked', alone), two.count('granted', alone), two.count('granted', next)]).toEqual([0, 0, 0]);
    one.signal('SIGCONT');
    expect((await one.event('wanted', open)).newVersion).toBe(9);
    await two.event('blocked', alone);
    expect(await one.call('isLost', writer)).toBe(false);
    await one.call('release', writer);
    await granted(two, next);
    await one.call('release', open);
    await granted(two, alone);
  });

  it('ends though a connection is open', async () => {
    const [one, two] = await start('process', 2);
    await one.call('connect', 'x', 'stays');
    const alone = await two.call('alone', 'x', 1);
    await two.event('blocked', alone);
    await one.call('disconnect');
    expect(await one.exited).toBe(0);
    await granted(two, alone);
  });

  it('does not end while it waits', async () => {
    const [one, two, three] = await start('process', 3);
    const writer = await granted(one, await one.call('write', 'x'));
    await two.call('write', 'x');
    const open = await one.call('connect', 'y', 'stays');
    await three.call('alone', 'y', 1);
    let ended = 0;
    for (const peer of [two, three]) {
      await peer.call('disconnect');
      void peer.exited.then(() => ended++);
    }
    await pause();
    expect(ended).toBe(0);
    await one.call('release', writer);
    await one.call('release', open);
    expect([await two.exited, await three.exited]).toEqual([0, 0]);
  });
});

describe('a thousand connections', () => {
  it('of three processes are all told, and closed one after another', async () => {
    const [one, two, three] = await start('process', 3);
    const open: [DatabasePeer, number][] = [];
    for (let index = 0; index < 1000; index++) {
      const peer = index % 2 === 0 ? one : two;
      open.push([peer, await peer.call('connect', 'x', 'stays')]);
    }
    const alone = await three.call('alone', 'x', null);
    for (const [peer, id] of open) await peer.event('wanted', id);
    await three.event('blocked', alone);
    for (const [peer, id] of open.slice(1)) await peer.call('release', id);
    expect(three.count('granted', alone)).toBe(0);
    const [last] = open;
    await last?.[0].call('release', last[1]);
    await granted(three, alone);
  });
});
