import { expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { successes } from './attacks.ts';

const mutants: readonly (Mutant & { readonly lets: string })[] = [
  { what: 'a tag is not compared', file: 'disk/encryption/aes-siv.ts', from: 'if (equalBlocks(tag, this.#tag)) return true;', to: 'return true;', lets: 'encryption-unsupported' },
  { what: 'associated data is left out', file: 'disk/encryption/aes-siv.ts', from: 'for (const data of associated) {', to: 'for (const data of associated.slice(associated.length)) {', lets: 'encryption-unsupported' },
  { what: 'the tags of several records are not compared', file: 'disk/encryption/cmac.ts', from: 'return difference === 0;', to: 'return true;', lets: 'a changed record among others' },
  { what: 'what was opened ahead is given for other bytes', file: 'disk/encryption/opened-ahead.ts', from: 'if (before[offset + index] !== sealed[index]) return null;', to: ';', lets: 'a record that is changed after it was opened ahead' },
  { what: 'what a record says of itself is not compared', file: 'disk/encryption/siv-journal-cipher.ts', from: 'if (!beginsWith(plain, this.#head)) return null;', to: '', lets: 'a record under another kind, session or sequence' },
  { what: 'all generations have one key', file: 'disk/encryption/siv-journal-cipher.ts', from: "hkdf(key, magic, purposeOf('journal', purpose)", to: "hkdf(key, new Uint8Array(magic.length), purposeOf('journal', purpose)", lets: 'a record of another generation' },
  { what: 'all journals have one key', file: 'disk/encryption/siv-journal-cipher.ts', from: "purposeOf('journal', purpose)", to: "purposeOf('journal', typeof purpose)", lets: 'a record of another journal' },
  { what: 'the id of a key is ignored', file: 'disk/encryption/origin-keys.ts', from: 'keyId === NAMES_ID ? undefined : this.#file.keys.get(keyId);', to: 'keyId === NAMES_ID ? undefined : this.#file.keys.get(1);', lets: 'a record under another key' },
  { what: 'a SEAL is believed', file: 'disk/encryption/siv-journal-cipher.ts', from: 'return equalBlocks(this.#codeOf(frame, payload), frame.payload.subarray(end)) ? payload : null;', to: 'return payload;', lets: 'a changed SEAL' },
  { what: 'the number of a record of a snapshot is ignored', file: 'disk/encryption/siv-journal-cipher.ts', from: '|| frame.sequence === number;', to: '|| number > 0;', lets: 'a snapshot without one of its records' },
  { what: 'the code of the file of keys is not compared', file: 'disk/encryption/key-file.ts', from: "if (!equalBlocks(codeOf(rootKey, salt, origin, bytes.subarray(0, code)), bytes.subarray(code, code + CODE_BYTES))) throw damaged(origin, 'they were changed');", to: '', lets: 'another active key' },
];

/** What succeeds; or that the known answers have failed before the first key was used. */
async function outcomes(mutant: Mutant): Promise<string[]> {
  try {
    const { successes: found } = await loadMutant<{ successes(): string[] }>(new URL('attacks.ts', import.meta.url), mutant);
    return found();
  } catch (error) {
    return [(error as { code: string }).code];
  }
}

test('nothing that is tried succeeds', () => {
  expect(successes()).toEqual([]);
});

test.each(mutants)('it does where $what', async (mutant) => {
  expect(await outcomes(mutant)).toContain(mutant.lets);
});
