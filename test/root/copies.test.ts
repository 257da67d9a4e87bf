import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from '../../src/disk/journal/journal.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bytes, Ledger } from '../journal/support/ledger.ts';

let home: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-copies-'));
});

afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

test('a lock that is held in a root is free in a copy of it', async () => {
  const [root, copy] = [path.join(home, 'root'), path.join(home, 'copy')];
  const original = new StorageHost({ root });
  let release = (): void => {};
  const held = original.origin('https://app.example').locks.request('job', () => new Promise<void>((resolve) => (release = resolve)));
  await expect.poll(async () => (await original.origin('https://app.example').locks.query()).held?.length).toBe(1);
  fs.cpSync(root, copy, { recursive: true });
  const host = new StorageHost({ root: copy });
  expect(await host.origin('https://app.example').locks.request('job', { ifAvailable: true }, (lock) => lock?.name)).toBe('job');
  // The original's is held as before.
  const another = new StorageHost({ root });
  expect(await another.origin('https://app.example').locks.request('job', { ifAvailable: true }, (lock) => lock)).toBeNull();
  release();
  await held;
  await Promise.all([original, host, another].map((each) => each.close()));
});

/** A journal as `cp -r` may have taken it: generation 0 with its last SEAL, and none of, or a part of, its successor. */
function copyCutShort(candidateBytes: number | null): { place: string; entries: string[] } {
  const place = path.join(home, 'journal');
  Journal.create(place);
  const ledger = new Ledger();
  const journal = new Journal(place, ledger, { retain: 2 });
  for (let index = 1; index <= 5; index += 1) journal.append(1, 7, index, bytes(`record ${index}`));
  journal.compact();
  const entries = [...ledger.entries];
  journal.append(1, 7, 6, bytes('after the copy of generation 0'));
  journal.close();
  if (candidateBytes !== null) {
    const generation = fs.readFileSync(path.join(place, '1'));
    fs.writeFileSync(path.join(place, 'cand', `1.${generation.subarray(16, 32).toString('hex')}`), generation.subarray(0, candidateBytes));
  }
  fs.rmSync(path.join(place, '1'));
  return { place, entries };
}

test.each([null, 0, 20, 36, 60, 200])('a journal whose copy lacks the generation that a SEAL names goes on from there (%s bytes of a candidate)', (candidate) => {
  const { place, entries } = copyCutShort(candidate);
  const ledgers = [new Ledger(), new Ledger(), new Ledger()];
  const [reader, writer, other] = ledgers.map((ledger) => new Journal(place, ledger)) as [Journal<number>, Journal<number>, Journal<number>];
  for (const journal of [reader, writer, other]) journal.catchUp();
  for (const ledger of ledgers) expect(ledger.entries).toEqual(entries);
  // A read makes nothing.
  expect(fs.existsSync(path.join(place, '1'))).toBe(false);
  writer.append(1, 8, 1, bytes('new'));
  other.append(1, 9, 1, bytes('newer'));
  for (const journal of [reader, writer, other]) journal.catchUp();
  for (const ledger of ledgers) {
    expect(ledger.entries).toHaveLength(entries.length + 2);
    expect(ledger.entries).toEqual(ledgers[0]?.entries);
  }
  const late = new Ledger();
  new Journal(place, late).catchUp();
  expect(late.entries).toEqual(ledgers[0]?.entries);
});
