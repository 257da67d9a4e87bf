import { Journal as Plain } from '../../../src/disk/journal/journal.ts';
import type { JournalEncryption } from '../../../src/disk/journal/journal-cipher.ts';
import { isEncrypted, placeKeys } from '../../support/sealed.ts';

export type { JournalOptions } from '../../../src/disk/journal/journal.ts';

const encryption = placeKeys?.journal('journal');

/** What a generation that a test writes by itself bears in its header. */
export const keyId = encryption?.activeId ?? 0;

/** The payload that a record of the first generation of a test's own has on the disk. */
export const cipherOf: JournalEncryption['cipherFor'] = (id, magic, path) => encryption?.cipherFor(id, magic, path) ?? null;

/** With HOLDFAST_TEST_KEY=1 the same, with each journal encrypted; of variants with defects too. */
export function keyed(Base: typeof Plain): typeof Plain {
  if (!isEncrypted) return Base;
  return class<Outcome> extends Base<Outcome> {
    constructor(...[directory, machine, options]: ConstructorParameters<typeof Plain<Outcome>>) {
      super(directory, machine, { encryption, ...options });
    }

    static override create(...[directory, snapshot]: Parameters<typeof Plain.create>): void {
      super.create(directory, snapshot, encryption);
    }
  };
}

export const Journal = keyed(Plain);
export type Journal<Outcome> = Plain<Outcome>;
