import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromBase32, toBase32 } from '../../../src/disk/encryption/files/base32.ts';
import { SealedNames } from '../../../src/disk/encryption/files/sealed-names.ts';
import { testKeys } from '../../support/sealed.ts';

const names = (bucket = 'default'): SealedNames => new SealedNames(testKeys().namesCipher(bucket));

test('digits of five bits are those of RFC 4648, in lower case and without padding', () => {
  const vectors = { '': '', f: 'co', fo: 'cpng', foo: 'cpnmu', foob: 'cpnmuog', fooba: 'cpnmuoj1', foobar: 'cpnmuoj1e8' };
  for (const [text, digits] of Object.entries(vectors)) expect(toBase32(Buffer.from(text))).toBe(digits);
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(Buffer.from(fromBase32(toBase32(bytes)) ?? 'none')).toEqual(Buffer.from(bytes));
    }),
  );
  for (const digits of ['c', 'CO', 'cp', 'cpn', 'c=', 'co ', 'cw', 'cpnmuoj1e8\n']) expect(fromBase32(digits)).toBeNull();
});

test('every name comes back, and stays so on a volume that folds', () => {
  const script = names();
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.constantFrom('a', '\ud800', 'A\u030a', 'con', '.new-x', '%{}', '..')), (name) => {
      const { component, long } = script.encode(name);
      expect(component).toMatch(/^[0-9a-v%~]{26,255}$/);
      expect(long === null ? script.decode(component) : { name: script.decodeSpelling(component, long.spelling) }).toEqual({ name });
    }),
  );
});

test('143 bytes of a name fit, longer ones have their spelling beside them', () => {
  const script = names();
  expect(script.encode('x'.repeat(143)).component.length).toBeLessThanOrEqual(255);
  expect(script.encode('x'.repeat(143)).long).toBeNull();
  const name = 'x'.repeat(5_000);
  const { component, long } = script.encode(name);
  expect(component.length).toBeLessThanOrEqual(255);
  if (long === null) throw new Error('it is not long');
  expect(script.decode(component)).toEqual({ spellingFile: long.file });
  expect(script.decodeSpelling(component, long.spelling)).toBe(name);
  expect(script.decodeSpelling(component, script.encode('y'.repeat(5_000)).long?.spelling ?? '')).toBeNull();
  expect(script.decodeSpelling(`0${component.slice(1)}`, long.spelling)).toBeNull();
});

test("what is no name of the bucket's is nobody's: plain names, others' names, changed ones", () => {
  const { component } = names().encode('a name');
  const foreign = names('buckets/other').encode('a name').component;
  const changed = (component.startsWith('0') ? '1' : '0') + component.slice(1);
  for (const other of ['a name', 'readme.txt', component.toUpperCase(), foreign, changed, component.slice(1), '']) expect(names().decode(other)).toBeNull();
  expect(names().decode(component)).toEqual({ name: 'a name' });
  expect(foreign).not.toBe(component);
});
