import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { firstViolation } from './witness.ts';

/** A way to break the account: in `file`, `from` (which must occur exactly once) becomes `to`. */
interface Mutant {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const mutants: Mutant[] = [
  {
    what: 'what is used is not charged',
    file: 'quota/account.ts',
    from: '    this.#left -= bytes;\n    add(this.#used, category, bytes);\n    this.#stirred',
    to: '    this.#stirred',
  },
  {
    what: 'files are made before they are paid for',
    file: 'quota/charged.ts',
    from: '  ledger.charge(bytes);\n  try {\n    return make();',
    to: '  try {\n    const made = make();\n    ledger.charge(bytes);\n    return made;',
  },
  {
    what: 'files grow before they are paid for',
    file: 'quota/extent.ts',
    from: '      this.#ledger.charge(end - before);\n',
    to: '      setImmediate(() => this.#ledger.charge(end - before));\n',
  },
  {
    what: 'a charge is taken back though all went well',
    file: 'tree/swap.ts',
    from: 'return openCopy(path, this.#ledger);',
    to: 'this.#ledger.refund(bytes); return openCopy(path, this.#ledger);',
  },
  {
    what: 'a large copy is made before it is paid for',
    file: 'tree/swap.ts',
    from: '    this.#ledger.charge(bytes);\n    try {\n      await withDescriptors(() => fs.promises.copyFile(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));',
    to: '    try {\n      await withDescriptors(() => fs.promises.copyFile(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));\n      this.#ledger.charge(bytes);',
  },
  {
    what: 'what is thrown away is freed before it has gone',
    file: 'tree/swap.ts',
    from: '    fs.unlinkSync(path);\n    ledger.free(bytes, mark);',
    to: '    ledger.free(bytes, mark);\n    fs.unlinkSync(path);',
  },
  {
    what: 'what is in the trash is freed before it has gone',
    file: 'tree/trash.ts',
    from: '    await deletion();\n    this.#ledger.free(bytes, mark);',
    to: '    this.#ledger.free(bytes, mark);\n    await deletion();',
  },
  {
    what: 'what is replaced is freed before it has gone',
    file: 'tree/file-tree.ts',
    from: '    if (target.stats === undefined) fs.renameSync(path, target.path);',
    to: '    if (target.stats !== undefined) this.#ledger.free(weightOf(target.stats), mark);\n    if (target.stats === undefined) fs.renameSync(path, target.path);',
  },
  {
    what: 'the spelling of a long name costs nothing',
    file: 'tree/long-names.ts',
    from: 'charged(ledger, weightOfSpelling(long), () => writeSpelling(path, long, isStrict));',
    to: 'writeSpelling(path, long, isStrict);',
  },
];

const source = fileURLToPath(new URL('../../src/disk', import.meta.url));

async function loadMutant({ what, file, from, to }: Mutant): Promise<typeof firstViolation> {
  const outfile = fileURLToPath(new URL(`../../.cache/mutants/witness-${what.replace(/\W+/g, '-')}-${process.pid}.mjs`, import.meta.url));
  const mutate = async (): Promise<{ contents: string; loader: 'ts' }> => {
    const text = await fs.promises.readFile(path.join(source, file), 'utf8');
    if (text.split(from).length !== 2) throw new Error(`'${from}' does not occur exactly once in ${file}`);
    return { contents: text.replace(from, () => to), loader: 'ts' };
  };
  await build({
    entryPoints: [fileURLToPath(new URL('./witness.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
    plugins: [{ name: 'mutant', setup: (hooks) => hooks.onLoad({ filter: new RegExp(`disk/${file}$`) }, mutate) }],
  });
  const module = (await import(pathToFileURL(outfile).href)) as { firstViolation: typeof firstViolation };
  fs.rmSync(outfile);
  return module.firstViolation;
}

describe('whoever looks at each system call finds an account too low in which', () => {
  it('(without a defect, nothing)', async () => {
    expect(await firstViolation()).toBeNull();
  });

  it.each(mutants)('$what', async (mutant) => {
    expect(await (await loadMutant(mutant))()).not.toBeNull();
  });
});
