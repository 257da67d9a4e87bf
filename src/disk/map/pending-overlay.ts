import { isSameOperation } from '../replica/operation.ts';
import type { OperationId } from '../replica/operation.ts';
import { changed, stepsOf } from './map-operation.ts';
import type { KeyChange, MapOperation } from './map-operation.ts';

interface Step extends OperationId {
  readonly change: KeyChange;
}

/**
 * What the pending operations make of each key, without a walk over all of them. It keeps these invariants:
 *
 * - while a `clear` is pending (`#hidden` > 0), nothing of the base shows;
 * - `#steps` has for each key the pending changes that count: those after the last pending `clear`, and of these the
 *   last one that expects nothing, with all that came after it.
 */
export class PendingOverlay {
  readonly #steps = new Map<string, Step[]>();
  readonly #quotas: number[] = [];
  #length = 0;
  /** How many of the pending operations come before the end of the last pending `clear`. */
  #hidden = 0;

  get length(): number {
    return this.#length;
  }

  /** Whether nothing of the base shows. */
  get hidesBase(): boolean {
    return this.#hidden > 0;
  }

  /** Whether what the base holds for a key may not be what shows. */
  covers(key: string): boolean {
    return this.#hidden > 0 || this.#steps.has(key);
  }

  /** The keys that pending changes are about. */
  keys(): Iterable<string> {
    return this.#steps.keys();
  }

  /** What a key's value is, or null, where the base has `confirmed`. */
  value(key: string, confirmed: string | null): string | null {
    let value = this.#hidden > 0 ? null : confirmed;
    for (const { change } of this.#steps.get(key) ?? []) value = changed(value, change);
    return value;
  }

  quota(confirmed: number): number {
    return this.#quotas.at(-1) ?? confirmed;
  }

  /** One more operation is pending. */
  push(operation: MapOperation, id: OperationId): void {
    this.#length += 1;
    if (operation.asks === 'batch') for (const step of stepsOf(operation)) this.#push(step, id);
    else this.#push(operation, id);
  }

  #push(operation: MapOperation, id: OperationId): void {
    if (operation.asks === 'change') this.#pushChange(operation, id);
    else if (operation.asks === 'limit') this.#quotas.push(operation.quota);
    else if (operation.asks === 'clear') {
      this.#steps.clear();
      this.#hidden = this.#length;
    }
  }

  #pushChange(change: KeyChange, { session, sequence }: OperationId): void {
    const step = { session, sequence, change };
    const steps = change.expected === undefined ? undefined : this.#steps.get(change.key);
    if (steps === undefined) this.#steps.set(change.key, [step]);
    else steps.push(step);
  }

  /** The first operation is pending no more. */
  shift(operation: MapOperation, id: OperationId): void {
    this.#length -= 1;
    if (this.#hidden > 0) this.#hidden -= 1;
    if (operation.asks === 'limit') this.#quotas.shift();
    else if (operation.asks === 'change') this.#shiftChange(operation.key, id);
    else if (operation.asks === 'batch') for (const { key } of operation.batch.steps) if (key !== null) this.#shiftChange(key, id);
  }

  #shiftChange(key: string, id: OperationId): void {
    const steps = this.#steps.get(key);
    const first = steps?.[0];
    // It may not count any more.
    if (steps === undefined || first === undefined || !isSameOperation(first, id)) return;
    if (steps.length === 1) this.#steps.delete(key);
    else steps.shift();
  }
}
