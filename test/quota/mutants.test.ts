import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../support/mulberry32.ts';
import type { Ledgers } from './model.ts';

/** A way to break the account: in `file`, `from` (which must occur exactly once) becomes `to`. */
interface Mutant {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const mutants: Mutant[] = [
  {
    what: 'more is reserved than there is',
    file: 'machine.ts',
    from: 'const granted = need <= left || room >= 0;',
    to: 'const granted = true;',
  },
  {
    what: 'what others have reserved is not counted',
    file: 'machine.ts',
    from: 'return sum(this.#usage) + this.#reserved;',
    to: 'return sum(this.#usage);',
  },
  {
    what: 'what a dead session had reserved is free at once',
    file: 'machine.ts',
    from: '    this.#use(new Map([[categories.files, reservation.bytes]]));\n',
    to: '',
  },
  {
    what: 'what a dead session had reserved is kept',
    file: 'machine.ts',
    from: '    this.#reservations.delete(session);\n    this.#reserved -= reservation.bytes;\n',
    to: '',
  },
  {
    what: 'a counting overwrites what was used meanwhile',
    file: 'machine.ts',
    from: '    add(this.#usage, counting.used);\n',
    to: '',
  },
  {
    what: 'what was freed before a counting began is given back after it',
    file: 'machine.ts',
    from: '(freed.size > 0 && (epoch !== this.#epoch || this.#counting !== null))',
    to: 'false',
  },
  {
    what: 'what is used is not told',
    file: 'machine.ts',
    from: '    this.#use(adjustment.used);\n',
    to: '',
  },
  {
    what: 'a session that was taken for dead goes on with what it had',
    file: 'machine.ts',
    from: "    const left = Math.max(0, (own?.bytes ?? 0) - sum(adjustment.used));\n",
    to: '    const left = own?.bytes ?? 0;\n',
  },
  {
    what: 'the reserve in advance is not bounded by what is left',
    file: 'machine.ts',
    from: 'Math.min(want, Math.floor(room / SHARE))',
    to: 'want',
  },
  {
    what: 'there is no doubt after a session was found dead',
    file: 'machine.ts',
    from: '    this.#disturb();\n    return HEARD;\n  }\n\n  #disturb()',
    to: '    return HEARD;\n  }\n\n  #disturb()',
  },
];

const source = fileURLToPath(new URL('../../src/disk/quota', import.meta.url));

async function loadMutant({ what, file, from, to }: Mutant): Promise<typeof Ledgers> {
  const target = path.join(source, file);
  const outfile = fileURLToPath(new URL(`../../.cache/mutants/quota-${what.replace(/\W+/g, '-')}-${process.pid}.mjs`, import.meta.url));
  const mutate = async (): Promise<{ contents: string; loader: 'ts' }> => {
    const text = await fs.promises.readFile(target, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`'${from}' does not occur exactly once in ${file}`);
    return { contents: text.replace(from, () => to), loader: 'ts' };
  };
  await build({
    entryPoints: [fileURLToPath(new URL('./model.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
    plugins: [{ name: 'mutant', setup: (hooks) => hooks.onLoad({ filter: new RegExp(`quota/${file}$`) }, mutate) }],
  });
  const module = (await import(pathToFileURL(outfile).href)) as { Ledgers: typeof Ledgers };
  fs.rmSync(outfile);
  return module.Ledgers;
}

const LIMIT = 2000;
const STEPS = 80;
const SCHEDULES = 2000;

/** What sessions that do whatever they may find wrong with an account; null: nothing. */
function violation(Model: typeof Ledgers, seed: number): string | null {
  const random = mulberry32(seed);
  const ledgers = new Model(LIMIT);
  for (let step = 0; step < STEPS; step++) {
    ledgers.step(Math.floor(random() * 8), Math.floor(random() * 3), Math.floor(random() * 600));
    if (ledgers.taken < ledgers.onDisk) return 'something on the disk is not paid for';
    if (ledgers.onDisk > LIMIT) return 'there is more on the disk than allowed';
    if (!ledgers.machine.doubtful && ledgers.machine.taken > ledgers.onDisk + ledgers.machine.reserved + ledgers.untold) return 'too much, for good, and nobody doubts it';
  }
  return ledgers.countInPeace() === ledgers.onDisk ? null : 'a counting in peace comes to something else';
}

describe('the model of the disk catches an account in which', () => {
  it('(without a defect, it finds nothing)', async () => {
    const { Ledgers: Sound } = await import('./model.ts');
    for (let seed = 1; seed <= SCHEDULES; seed++) expect(violation(Sound, seed)).toBeNull();
  });

  it.each(mutants)('$what', async (mutant) => {
    const Broken = await loadMutant(mutant);
    for (let seed = 1; seed <= SCHEDULES; seed++) if (violation(Broken, seed) !== null) return;
    expect.fail(`not caught in ${SCHEDULES} schedules`);
  });
});
