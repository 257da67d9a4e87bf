import { createSecretKey } from 'node:crypto';
import { descriptionsWith, SealedDatabase } from '../../src/disk/encryption/databases/sealed-database.ts';
import { FileSealing } from '../../src/disk/encryption/files/file-sealing.ts';
import { SealedNames } from '../../src/disk/encryption/files/sealed-names.ts';
import { NAMES_ID } from '../../src/disk/encryption/key-file.ts';
import { OriginKeys } from '../../src/disk/encryption/origin-keys.ts';
import type { JournalEncryption } from '../../src/disk/journal/journal-cipher.ts';
import type { PlaceKeys } from '../../src/disk/place.ts';
import type { Sealing } from '../../src/disk/tree/sealing.ts';

/** Keys of a test's origin: all processes of a run have the same. */
export function testKeys(): OriginKeys {
  const keys = new Map([NAMES_ID, 1].map((id) => [id, createSecretKey(Buffer.alloc(32, id + 1))]));
  return new OriginKeys('https://app.example', { active: 1, flags: 0, keys, kms: new Uint8Array(0) });
}

export function testSealing(): Sealing {
  const keys = testKeys();
  const names = new SealedNames(keys.namesCipher('default'));
  return new FileSealing(keys, () => names);
}

/** The keys of a test's bucket. */
export function testPlaceKeys(): PlaceKeys {
  const keys = testKeys();
  const files = new FileSealing(keys);
  const names = keys.namesCipher('default');
  const journal = (name: string): JournalEncryption => ({
    activeId: 1,
    convert: () => undefined,
    look: () => 1,
    cipherFor: (id, magic, file) => keys.journalCipher(id, magic.bytes, `default/${name}`, file),
  });
  const beside = (bucket: string): never => {
    throw new Error(`no test has ${bucket} beside`);
  };
  return { keys, journal, beside, sealing: testSealing(), database: (name) => new SealedDatabase(files, names, name), descriptions: descriptionsWith(files), prepare: () => Promise.resolve() };
}

/** Whether this run has everything encrypted. */
export const isEncrypted = process.env['HOLDFAST_TEST_KEY'] === '1';

/** What a test may take that tries each system call of something, in ms: with a key there are more of them. */
export const CALLS_TIMEOUT = isEncrypted ? 1_800_000 : 300_000;

let sealing: Sealing | undefined;
let withVisibleNames: Sealing | undefined;

/** For the options of a tree: with HOLDFAST_TEST_KEY=1 every tree of a test is encrypted. */
export function sealed(names: 'encrypted' | 'visible' = 'encrypted'): { readonly sealing?: Sealing } {
  if (!isEncrypted) return {};
  return { sealing: names === 'visible' ? (withVisibleNames ??= new FileSealing(testKeys())) : (sealing ??= testSealing()) };
}

/** For the options of a host: with HOLDFAST_TEST_KEY=1 every origin of a test is encrypted. */
export const encrypted: { readonly encryption?: { readonly key: Uint8Array } } = isEncrypted ? { encryption: { key: Buffer.alloc(32, 7) } } : {};

/** The keys of a bucket that a test makes by itself. */
class TestPlace implements PlaceKeys {
  readonly keys = testKeys();
  /** Names stay visible: tests look for files by them. */
  readonly sealing = new FileSealing(this.keys);
  readonly #bucket: string;

  constructor(bucket: string) {
    this.#bucket = bucket;
  }

  beside(bucket: string): PlaceKeys {
    return new TestPlace(bucket);
  }

  journal(name: string): JournalEncryption {
    const { keys } = this;
    return {
      activeId: keys.activeId,
      look: () => keys.activeId,
      convert: () => undefined,
      cipherFor: (keyId, magic, file) => keys.journalCipher(keyId, magic.bytes, `${this.#bucket}/${name}`, file),
    };
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  database(name: string): SealedDatabase {
    return new SealedDatabase(this.sealing, this.keys.namesCipher(this.#bucket), name);
  }

  get descriptions(): PlaceKeys['descriptions'] {
    return descriptionsWith(this.sealing);
  }
}

/** For places that tests make by themselves: with HOLDFAST_TEST_KEY=1 their journals and files are encrypted. */
export const placeKeys: PlaceKeys | undefined = isEncrypted ? new TestPlace('default') : undefined;
