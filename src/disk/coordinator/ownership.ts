import type { JournalRecord } from '../journal/machine.ts';
import { decodeOwn } from './owned-records.ts';
import type { Owner } from './owned-records.ts';

/**
 * Who owns a journal, as its records make it: what fences coordinators, and the log of a hub. It keeps these invariants:
 *
 * - whoever owns has appended the OWN that raised the epoch last; what everybody else appends is void;
 * - an OWN that does not expect the epoch as it is, is void: of any number that are appended at once, one has effect.
 */
export class Ownership {
  /** How often somebody has become the owner. */
  epoch = 0;
  owner: Owner | null = null;
  /** The sequence of the owner's last record that had effect. */
  lastSequence = 0;

  /** An OWN: whether it has effect. */
  own({ session, sequence, payload }: JournalRecord): boolean {
    const { expected, address } = decodeOwn(payload);
    if (expected !== this.epoch) return false;
    this.epoch += 1;
    this.owner = { session, address };
    this.lastSequence = sequence;
    return true;
  }

  /** Any other record: whether it is the owner's. */
  admit({ session, sequence }: JournalRecord): boolean {
    if (session !== this.owner?.session) return false;
    this.lastSequence = sequence;
    return true;
  }

  reset(): void {
    this.epoch = 0;
    this.owner = null;
    this.lastSequence = 0;
  }
}
