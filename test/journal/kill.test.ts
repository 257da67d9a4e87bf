import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { Journal } from './support/journal.ts';
import { Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';

const WRITERS = 3;
const KILLS = 20;
const MOST_KILLS = 100;
const TORN = 2;

interface Writer {
  readonly process: ChildProcess;
  readonly tried: string[];
  readonly acknowledged: string[];
}

/** Starts a writer, whose every word is kept; it kills itself. */
function start(fixture: string, directory: string, session: number): Writer {
  const child = spawn(process.execPath, [fixture, directory, String(session)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const writer: Writer = { process: child, tried: [], acknowledged: [] };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) (line.startsWith('try') ? writer.tried : writer.acknowledged).push(line.slice(4));
  });
  return writer;
}

test('writers are killed inside their appends, of 100 bytes to 2 MB, and nothing that was acknowledged is lost', { timeout: 180_000 }, async () => {
  const fixture = await bundleFixture(new URL('./fixtures/writer.ts', import.meta.url));
  const directory = join(temporaryDirectory(), 'journal');
  Journal.create(directory);
  const all: Writer[] = [];
  const ledger = new Ledger();
  const survivor = new Journal(directory, ledger);
  survivor.open();
  let [kills, sequence] = [0, 0];

  const keepWriting = async (): Promise<void> => {
    while (kills < KILLS || (survivor.damage < TORN && kills < MOST_KILLS)) {
      const writer = start(fixture, directory, all.length + 1);
      all.push(writer);
      const [, signal] = (await once(writer.process, 'close')) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      kills++;
      survivor.append(1, 999, ++sequence, new Uint8Array(100));
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, keepWriting));

  survivor.catchUp();
  const newcomer = new Ledger();
  const journal = new Journal(directory, newcomer);
  journal.catchUp();
  const { entries } = newcomer;
  expect(entries).toEqual(ledger.entries);
  expect(new Set(entries).size).toBe(entries.length);
  const tried = new Set(all.flatMap((writer) => writer.tried));
  const present = new Set(entries);
  expect(all.flatMap((writer) => writer.acknowledged).filter((entry) => !present.has(entry))).toEqual([]);
  expect(entries.filter((entry) => !tried.has(entry) && !entry.startsWith('999/'))).toEqual([]);
  for (const { tried: order } of all) expect(entries.filter((entry) => order.includes(entry))).toEqual(order.filter((entry) => present.has(entry)));
  expect(survivor.damage, 'the kills were meant to hit appends').toBeGreaterThanOrEqual(TORN);
  expect(journal.generation, 'some of the killed were meant to compact').toBeGreaterThan(0);
  expect(fs.readdirSync(directory).length).toBeLessThanOrEqual(1 + 2 + 1);
});
