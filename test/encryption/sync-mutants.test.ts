import { expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { successes } from './sync-attacks.ts';

const log = 'sync/sealed/sealed-log.ts';
const seal = 'sync/sealed/seal.ts';
const keys = 'sync/sealed/shared-keys.ts';

const mutants: readonly (Mutant & { readonly lets: string })[] = [
  { what: 'an entry is sent as it is', file: log, from: "bytes: this.#sealed(withWitness(witness, bytes), ['entry'])", to: 'bytes', lets: 'a plain entry' },
  { what: 'a snapshot is sent as it is', file: log, from: "bytes: this.#sealed(bytes, ['snapshot', position])", to: 'bytes', lets: 'a plain snapshot' },
  { what: 'a blob is sent as it is', file: log, from: 'log.putBlob(sealed, this.#asNamed(sealed, bytes))', to: 'log.putBlob(name, bytes)', lets: 'a plain blob' },
  { what: 'a log has its name', file: log, from: 'opened.logName(name)', to: 'name', lets: 'a plain name' },
  { what: 'what is plain is believed', file: log, from: "if (typeof keyId === 'string') throw this.#flawed(what, keyId);", to: "if (typeof keyId === 'string') return bytes;", lets: 'an entry that is not encrypted' },
  { what: 'the position of a snapshot is left out', file: seal, from: 'purposeOf(what, ...where)', to: 'purposeOf(what)', lets: 'a snapshot at another position' },
  { what: 'what something is is left out', file: seal, from: 'purposeOf(what, ...where)', to: "purposeOf('', ...where)", lets: 'a blob as an entry' },
  { what: 'all logs have one key', file: seal, from: 'keys.logCipher(keyId, this.#log)', to: "keys.logCipher(keyId, '')", lets: 'an entry of another log' },
  { what: 'a tag is not compared', file: seal, from: '? plain : null;', to: '? plain : plain;', lets: 'a changed entry' },
  { what: 'the id of a key is ignored', file: 'disk/encryption/origin-keys.ts', from: 'keyId === NAMES_ID ? undefined : this.#file.keys.get(keyId);', to: 'keyId === NAMES_ID ? undefined : this.#file.keys.get(1);', lets: 'an entry under a key that was replaced' },
  { what: 'what others saw is ignored', file: 'sync/sealed/history.ts', from: 'return own === null || own.equals(digest);', to: 'return true;', lets: 'two orders' },
  { what: 'keys come from anybody', file: keys, from: 'if (state !== null && !equalBlocks(state.keys.codeOf(coded(bytes)), bytes.subarray(CODE, FILE))) return null;', to: '', lets: 'somebody without the key stops regions' },
  { what: 'the last keys count', file: keys, from: '|| !equalBlocks(bytes.subarray(DIGEST, CODE), digestOf(state))) return null;', to: ") return null;\n    if (!equalBlocks(bytes.subarray(DIGEST, CODE), NOTHING)) return null;\n    return this.#unwrapped(entry);", lets: 'keys of whoever came second' },
  { what: 'keys that were changed are made anew', file: keys, from: 'if (state === null && position > 0) throw this.#damaged();', to: '', lets: 'changed keys' },
];

test('nothing that is tried with a hub succeeds', async () => {
  expect(await successes()).toEqual([]);
});

test.each(mutants)('it does where $what', async (mutant) => {
  const { successes: found } = await loadMutant<{ successes(only: string): Promise<string[]> }>(new URL('sync-attacks.ts', import.meta.url), mutant);
  expect(await found(mutant.lets)).toContain(mutant.lets);
});
