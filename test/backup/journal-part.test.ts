import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { agree } from '../../src/disk/backup/agree.ts';
import { JournalPart } from '../../src/disk/backup/journal-part.ts';
import { Moved } from '../../src/disk/backup/part.ts';
import { Journal } from '../../src/disk/journal/journal.ts';
import type { Machine } from '../../src/disk/journal/machine.ts';

/** All that was ever written. */
class Words implements Machine<undefined> {
  words: string[] = [];

  apply({ payload }: { readonly payload: Uint8Array }): undefined {
    this.words.push(Buffer.from(payload).toString());
  }

  reset(): void {
    this.words = [];
  }

  restore(_: number, payload: Uint8Array): void {
    this.words.push(Buffer.from(payload).toString());
  }

  restored(): void {}

  *snapshot(): Generator<{ kind: number; payload: Uint8Array }> {
    for (const word of this.words) yield { kind: 1, payload: Buffer.from(word) };
  }
}

interface Written {
  readonly directory: string;
  write(word: string): void;
  compact(): void;
}

function written(): Written {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-part-'));
  const directory = path.join(home, 'journal');
  fs.mkdirSync(directory);
  Journal.create(directory);
  const journal = new Journal(directory, new Words());
  onTestFinished(() => {
    journal.close();
    fs.rmSync(home, { recursive: true });
  });
  let sequence = 0;
  return { directory, write: (word) => void journal.append(1, 1, (sequence += 1), Buffer.from(word)), compact: () => void journal.compact() };
}

function partOf(directory: string): JournalPart {
  const part = new JournalPart(directory, 'journal', () => undefined);
  onTestFinished(() => part.close());
  return part;
}

/** What a copy says that was taken. */
function restored(part: JournalPart, home: string): string[] {
  const { generation, bytes } = part.take(Date.now());
  const directory = path.join(home, 'copy');
  fs.mkdirSync(path.join(directory, 'cand'), { recursive: true });
  fs.writeFileSync(path.join(directory, String(generation)), bytes ?? '');
  const machine = new Words();
  const journal = new Journal(directory, machine);
  journal.catchUp();
  journal.close();
  return machine.words;
}

test('a journal that moves on before the moment is looked for is followed', async () => {
  const { directory, write, compact } = written();
  write('one');
  const part = partOf(directory);
  for (const word of ['two', 'three', 'four']) {
    compact();
    write(word);
  }
  await agree([part], Date.now, () => part.prepare());
  expect(restored(part, path.dirname(directory))).toEqual(['one', 'two', 'three', 'four']);
});

test('a journal that moves on between two looks is asked again, and what was no state of it is not taken', async () => {
  const { directory, write, compact } = written();
  write('one');
  const part = partOf(directory);
  let looks = 0;
  await agree([part], Date.now, () => {
    part.prepare();
    looks += 1;
    if (looks > 3) return;
    compact();
    write(`more ${looks}`);
  });
  expect(looks).toBe(4);
  expect(restored(part, path.dirname(directory))).toEqual(['one', 'more 1', 'more 2', 'more 3']);
});

test('a moment is looked for in some turns at least, for however long the process stands still', async () => {
  const { directory, write } = written();
  write('one');
  const part = partOf(directory);
  let seconds = process.uptime();
  const clock = vi.spyOn(process, 'uptime').mockImplementation(() => (seconds += 5));
  onTestFinished(() => clock.mockRestore());
  let looks = 0;
  const settle = vi.spyOn(part, 'settle').mockImplementation(() => (looks += 1) > 3);
  onTestFinished(() => settle.mockRestore());
  await agree([part], Date.now, () => part.prepare());
  expect(looks).toBe(4);
});

test('a journal that moves on after the moment, as often as it likes, is as it was at the moment', async () => {
  const { directory, write, compact } = written();
  write('one');
  const part = partOf(directory);
  await agree([part], Date.now, () => part.prepare());
  for (const word of ['late', 'later', 'latest', 'last']) {
    write(word);
    compact();
  }
  expect(fs.readdirSync(directory)).not.toContain(String(part.generation));
  expect(restored(part, path.dirname(directory))).toEqual(['one']);
});

test('another journal in its place is not taken for it', async () => {
  const { directory, write } = written();
  write('one');
  const part = partOf(directory);
  await agree([part], Date.now, () => part.prepare());
  fs.renameSync(directory, `${directory} away`);
  fs.mkdirSync(directory);
  Journal.create(directory);
  expect(() => part.take(Date.now())).toThrow(Moved);
});
