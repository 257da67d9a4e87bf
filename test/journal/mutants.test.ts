import { describe as suite, expect, test } from 'vitest';
import {
  callsOf,
  compactionUnderFault,
  deepSleep,
  forgottenRetry,
  interruptedShortWrite,
  lateSeal,
} from './support/fault-scenarios.ts';
import { temporaryDirectory } from './support/place.ts';
import { loadVariant, type Defect, type JournalModule } from './support/variants.ts';

/*
 * Deliberate defects, and the scenario of the other tests that each must fail. So a scenario that has stopped to look
 * at what it is for is noticed here.
 */

type Scenario = (module: JournalModule, parent: string) => string[];

const fullDiskAtEveryStep: Scenario = (module, parent) =>
  callsOf(module, parent).flatMap((_, step) => compactionUnderFault(module, temporaryDirectory(), step, 'ENOSPC', 1));

const mutants: { name: string; caughtBy: Scenario; defects: Defect[] }[] = [
  {
    name: 'parsing goes on where a bad frame claims to end',
    caughtBy: interruptedShortWrite,
    defects: [
      {
        file: 'frame-reader.ts',
        from: 'const next = this.#magic.find(this.#window, this.#from + 1, this.#to);',
        to: `const claim = new DataView(this.#window.buffer).getUint32(this.#from + 16, true);
             const next = Math.min(this.#to, this.#from + claim + 48);`,
      },
    ],
  },
  {
    name: 'the SEAL is written before the successor is there',
    caughtBy: fullDiskAtEveryStep,
    defects: [
      { file: 'candidate.ts', from: 'return this.#size;', to: 'return this.#size + this.#pendingBytes;' },
      { file: 'candidate.ts', from: 'this.#flush(descriptor);\n      if (!sync) return;', to: 'if (!sync) this.#flush(descriptor);\n      return;' },
      { file: 'compaction.ts', from: 'candidate.finish(strict);\n      propose(replay, candidate);', to: 'propose(replay, candidate);' },
      { file: 'compaction.ts', from: 'if (written !== frame.length)', to: 'candidate.finish(true);\n if (written !== frame.length)' },
    ],
  },
  {
    name: 'generations are created by their names',
    caughtBy: deepSleep,
    defects: [
      {
        file: 'replay.ts',
        from: 'const file = openSuccessor(this.directory, known.number, known.magic);',
        to: `fs.closeSync(fs.openSync(generationPath(this.directory, known.number), 'a'));
             const file = openSuccessor(this.directory, known.number, known.magic);`,
      },
    ],
  },
  {
    name: 'after a short write only the rest is appended',
    caughtBy: interruptedShortWrite,
    defects: [
      {
        file: 'journal.ts',
        from: 'return fs.writeSync(this.#replay.file.descriptor, frame, 0, size) === size;',
        to: `for (let at = 0; at < size; ) at += fs.writeSync(this.#replay.file.descriptor, frame, at, size - at);
             return true;`,
      },
    ],
  },
  {
    name: 'the snapshot forgets who has written what',
    caughtBy: forgottenRetry,
    defects: [{ file: 'journal-records.ts', from: 'end.dedupe.encode()', to: 'new Uint8Array(0)' }],
  },
  {
    name: 'a SEAL is effective wherever it stands',
    caughtBy: lateSeal,
    defects: [{ file: 'replay.ts', from: 'seal.after === reader.before', to: 'true' }],
  },
];

suite('a journal with a defect is caught', () => {
  test.each([fullDiskAtEveryStep, deepSleep, forgottenRetry, interruptedShortWrite, lateSeal])('(without one, %o finds nothing)', async (scenario) => {
    expect(scenario(await loadVariant('sound'), temporaryDirectory())).toEqual([]);
  });

  test.each(mutants)('$name', async ({ name, defects, caughtBy }) => {
    expect(caughtBy(await loadVariant(name, defects), temporaryDirectory())).not.toEqual([]);
  });
});
