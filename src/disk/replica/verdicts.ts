import { damaged } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { REFUSALS } from './model.ts';
import type { Refusal } from './model.ts';
import { readId, writeId } from './operation.ts';
import type { OperationId } from './operation.ts';

/** What the order has made of an operation. */
export type Verdict = 'accepted' | Refusal;

/** Those of processes that died before they asked would otherwise be kept for ever. */
export const MOST_VERDICTS = 2 ** 16;

const ACCEPTED = 0;

/**
 * What became of the operations that somebody waits for, until he was told. Bounded, the oldest dropped first: what is
 * not here, and not pending, cannot be told any more, and never counts as accepted.
 */
export class Verdicts {
  readonly #items = new Map<string, Verdict>();

  get size(): number {
    return this.#items.size;
  }

  /** Undefined: it is not known yet, or not any more. */
  of(id: OperationId): Verdict | undefined {
    return this.#items.get(nameOf(id));
  }

  add(id: OperationId, verdict: Verdict): void {
    const name = nameOf(id);
    this.#items.delete(name);
    this.#items.set(name, verdict);
    if (this.#items.size > MOST_VERDICTS) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const name of this.#items.keys()) {
      this.#items.delete(name);
      return;
    }
  }

  /** Whoever waited for it knows. */
  told(id: OperationId): void {
    this.#items.delete(nameOf(id));
  }

  clear(): void {
    this.#items.clear();
  }

  write(writer: ByteWriter): void {
    writer.integer(this.#items.size);
    for (const [name, verdict] of this.#items) {
      writeId(writer, idOf(name));
      writer.byte(verdict === 'accepted' ? ACCEPTED : 1 + REFUSALS.indexOf(verdict));
    }
  }

  read(reader: ByteReader): void {
    this.clear();
    for (let left = reader.integer(); left > 0; left--) {
      const id = readId(reader);
      const code = reader.byte();
      const verdict = code === ACCEPTED ? 'accepted' : REFUSALS[code - 1];
      if (verdict === undefined) throw damaged('what became of an operation is of no known kind');
      this.add(id, verdict);
    }
  }
}

export function nameOf({ session, sequence }: OperationId): string {
  return `${session}.${sequence}`;
}

function idOf(name: string): OperationId {
  const [session = '', sequence = ''] = name.split('.');
  return { session: Number(session), sequence: Number(sequence) };
}
