import { FIRST_JOURNAL_KIND } from '../journal/frame.ts';
import { PLAIN, type JournalCipher, type JournalEncryption } from '../journal/journal-cipher.ts';

/** What is behind the payload of a record of the journal itself. */
const CODE_BYTES = 16;

function nothingIsWritten(): never {
  throw new Error('nothing is written without a key');
}

const unopened: JournalCipher = {
  seal: nothingIsWritten,
  open: ({ kind, payload }) => (kind < FIRST_JOURNAL_KIND ? payload : payload.subarray(0, Math.max(0, payload.length - CODE_BYTES))),
};

/**
 * For who has no key and only goes from frame to frame: what the journal itself has written can be read, and is not
 * known to be authentic; payloads stay sealed.
 */
export const withoutKey: JournalEncryption = {
  get activeId(): number {
    return nothingIsWritten();
  },
  convert: nothingIsWritten,
  look: nothingIsWritten,
  cipherFor: (keyId) => (keyId === PLAIN ? null : unopened),
};
