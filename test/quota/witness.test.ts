import { describe, expect, it } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { firstViolation } from './witness.ts';

const mutants: Mutant[] = [
  {
    what: 'what is used is not charged',
    file: 'disk/quota/category-ledger.ts',
    from: '    budget.left -= bytes;\n    this.used += bytes;',
    to: '',
  },
  {
    what: 'files are made before they are paid for',
    file: 'disk/quota/charged.ts',
    from: '  ledger.charge(bytes);\n  try {\n    return make();',
    to: '  try {\n    const made = make();\n    ledger.charge(bytes);\n    return made;',
  },
  {
    what: 'files grow before they are paid for',
    file: 'disk/quota/extent.ts',
    from: '      this.#ledger.charge(end - before);\n',
    to: '      setImmediate(() => this.#ledger.charge(end - before));\n',
  },
  {
    what: 'a charge is taken back though all went well',
    file: 'disk/tree/swap.ts',
    from: 'return this.#openCopy(path);',
    to: 'this.#ledger.refund(bytes); return this.#openCopy(path);',
  },
  {
    what: 'a large copy is made before it is paid for',
    file: 'disk/tree/swap.ts',
    from: '    this.#ledger.charge(bytes);\n    try {\n      await withDescriptors(() => fs.promises.copyFile(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));',
    to: '    try {\n      await withDescriptors(() => fs.promises.copyFile(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));\n      this.#ledger.charge(bytes);',
  },
  {
    what: 'what is thrown away is freed before it has gone',
    file: 'disk/tree/swap.ts',
    from: '    fs.unlinkSync(path);\n    ledger.free(bytes, mark);',
    to: '    ledger.free(bytes, mark);\n    fs.unlinkSync(path);',
  },
  {
    what: 'what is in the trash is freed before it has gone',
    file: 'disk/tree/trash.ts',
    from: '    await deletion();\n    this.#ledger.free(bytes, mark);',
    to: '    this.#ledger.free(bytes, mark);\n    await deletion();',
  },
  {
    what: 'what is replaced is freed before it has gone',
    file: 'disk/tree/placement.ts',
    from: '    if (target.stats === undefined) fs.renameSync(path, target.path);',
    to: '    if (target.stats !== undefined) ledger.free(weightOf(target.stats), mark);\n    if (target.stats === undefined) fs.renameSync(path, target.path);',
  },
  {
    what: 'the spelling of a long name costs nothing',
    file: 'disk/tree/long-names.ts',
    from: 'charged(ledger, weightOfSpelling(long), () => writeSpelling(path, long, isStrict));',
    to: 'writeSpelling(path, long, isStrict);',
  },
];

describe('whoever looks at each system call finds an account too low in which', () => {
  it('(without a defect, nothing)', async () => {
    expect(await firstViolation()).toBeNull();
    // Nor where a realm knows by now how much room there is: then its account makes fewer calls before it is told.
    expect(await firstViolation()).toBeNull();
  });

  it.each(mutants)('$what', async (mutant) => {
    const broken = await loadMutant<{ firstViolation: typeof firstViolation }>(new URL('witness.ts', import.meta.url), mutant);
    expect(await broken.firstViolation()).not.toBeNull();
  });
});
