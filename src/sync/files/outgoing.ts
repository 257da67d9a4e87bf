import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Locator } from '../../disk/locator.ts';
import type { Placed } from './applied.ts';
import type { Step } from './change.ts';
import type { Surroundings } from './surroundings.ts';

/** Of one change, roughly: a larger one would travel as a blob, and take long to be made again after a kill. */
const CHANGE_BYTES = 32 * 1024;
const NOTES = 256;

const ID_BYTES = 16;

/** Gathers what a capture has found into changes: one, unless it is large. */
export class Outgoing {
  /** Where another process found something too, and was first. */
  readonly stale: Locator[] = [];
  readonly #surroundings: Surroundings;
  #steps: Step[] = [];
  #fingerprints: string[] = [];
  #bytes = 0;
  #notes: Placed[] = [];

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** `fingerprint`: of the file, for a FILE step. */
  add(step: Step, fingerprint?: string): void {
    this.#steps.push(step);
    if (fingerprint !== undefined) this.#fingerprints.push(fingerprint);
    this.#bytes += bytesOf(step);
    if (this.#bytes >= CHANGE_BYTES) this.flush();
  }

  /** What is on the disk is what should be there, or was before: nobody else needs to know. */
  note(placed: Placed): void {
    this.#notes.push(placed);
    if (this.#notes.length >= NOTES) this.#flushNotes();
  }

  flush(): void {
    this.#flushNotes();
    if (this.#steps.length === 0) return;
    const { journal, region } = this.#surroundings;
    const steps = this.#steps;
    this.#requireRoom();
    const isPending = journal.appendLocal({ region, steps }, this.#fingerprints);
    if (!isPending) this.stale.push(...steps.map(({ locator }) => locator));
    this.#steps = [];
    this.#fingerprints = [];
    this.#bytes = 0;
  }

  /** (13) The disk itself is what waits then. */
  #requireRoom(): void {
    const { replica } = this.#surroundings.journal.known;
    if (replica.pending.length === 0 || replica.hasRoomFor(new Uint8Array(this.#bytes))) return;
    throw new HoldfastError('hub-unreachable', 'As many changes of files wait for the hub as may.');
  }

  #flushNotes(): void {
    this.#surroundings.journal.appendApplied(this.#notes);
    this.#notes = [];
  }
}

function bytesOf(step: Step): number {
  const chunks = 'manifest' in step ? step.manifest.chunks.length : 0;
  return step.locator.reduce((bytes, name) => bytes + Buffer.byteLength(name) + 1, ID_BYTES + chunks);
}
