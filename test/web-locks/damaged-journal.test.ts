import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { Realm } from '../coherence/realm.ts';
import { Random } from '../support/random.ts';
import { encrypted } from '../support/sealed.ts';

// Whatever is found in a lock journal: no lock stays for ever, and nobody waits for one that does.

const ORIGIN = 'https://app.example';
/** The condition decides; this is only how long a loaded machine may need. */
const PATIENCE = { timeout: 30_000, interval: 5 };
let directory: string;
let root: string;
const hosts: StorageHost[] = [];
const realms: Realm[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-damaged-'));
  root = path.join(directory, 'root');
});

afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(realms.splice(0).map((realm) => realm.kill()));
  await Promise.all(hosts.splice(0).map((host) => host.close()));
  fs.rmSync(directory, { recursive: true, force: true });
});

function open(): ReturnType<StorageHost['origin']>['locks'] {
  const host = new StorageHost({ root, ...encrypted });
  hosts.push(host);
  return host.origin(ORIGIN).locks;
}

/** The lock journal's one generation. */
function journal(): string {
  const origins = path.join(root, 'origins');
  const [origin = ''] = fs.readdirSync(origins);
  const locks = path.join(origins, origin, 'default', 'locks');
  return path.join(locks, fs.readdirSync(locks).find((name) => /^\d+$/.test(name)) ?? '');
}

/** Some bytes, some of them from the journal itself, so that frames begin in them that never end. */
function garbage(random: Random): Buffer {
  const content = fs.readFileSync(journal());
  const from = random.below(content.length);
  const piece = content.subarray(from, from + random.below(200));
  const noise = Buffer.from(Array.from({ length: random.below(100) }, () => random.below(256)));
  return Buffer.concat(random.chance(0.5) ? [noise, piece] : [piece, noise]);
}

describe('garbage at the end of a lock journal', () => {
  it.each([1, 2, 3, 4, 5])('keeps neither holders nor waiters from going on (%i)', async (seed) => {
    const random = new Random(seed);
    const [one, other] = [open(), open()];
    for (let round = 0; round < 20; round++) {
      let next: Promise<unknown> = Promise.resolve();
      await one.request('a', async () => {
        next = other.request('a', () => 'next');
        await vi.waitFor(async () => expect((await one.query()).pending).toHaveLength(1), PATIENCE);
        fs.appendFileSync(journal(), garbage(random));
      });
      expect(await next).toBe('next');
      fs.appendFileSync(journal(), garbage(random));
    }
    for (const locks of [one, other, open()]) expect(await locks.query()).toEqual({ held: [], pending: [] });
  });
});

describe('a lock journal that was damaged', () => {
  const damages: Record<string, (content: Buffer, random: Random) => Buffer> = {
    'in a few bytes': (content, random) => {
      for (let count = 0; count < 3; count++) content[random.below(content.length)] = random.below(256);
      return content;
    },
    'by zeros': (content, random) => content.fill(0, random.below(content.length)),
    'by its end being cut off': (content, random) => content.subarray(0, random.below(content.length)),
    'by a hole': (content, random) => {
      const from = random.below(content.length);
      return Buffer.concat([content.subarray(0, from), content.subarray(from + random.below(100))]);
    },
  };

  /** What a realm has left that held a lock, and was killed. */
  async function journalOfKilled(): Promise<Buffer> {
    const killed = await Realm.start({ root, origin: ORIGIN });
    realms.push(killed);
    await killed.ask('count', 'n', 5);
    await killed.ask('hold', 'a');
    await killed.ask('hold', 'b');
    await killed.kill();
    return fs.readFileSync(journal());
  }

  it.each(Object.keys(damages))('%s gives every lock to whoever asks, or an error; nobody waits for ever', async (name) => {
    const content = await journalOfKilled();
    const random = new Random(name.length);
    let granted = 0;
    for (let round = 0; round < 40; round++) {
      fs.writeFileSync(journal(), damages[name]?.(Buffer.from(content), random) ?? expect.unreachable());
      const locks = open();
      for (const lock of ['a', 'b', 'n']) {
        const outcome = await locks.request(lock, () => 'granted').catch((error: unknown) => error);
        if (outcome === 'granted') granted++;
        else expect(outcome).toMatchObject({ name: 'UnknownError' });
      }
      await hosts.pop()?.close();
    }
    expect(granted).toBeGreaterThan(0);
  });
});
