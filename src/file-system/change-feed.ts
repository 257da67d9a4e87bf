import type { FileChange, FileLockTable } from '../disk/locks/lock-table.ts';

/** What an observation is told. */
export interface ChangeListener {
  changed(change: FileChange): void;
  /** Changes were missed: the journal no longer has them. */
  missed(): void;
  /** The client was closed; nothing more will come. */
  ended(): void;
}

/**
 * The changes of one bucket, by all processes, in their order, for this client's observers. The lock table is asked
 * for them only while someone listens.
 */
export class ChangeFeed {
  readonly #locks: () => FileLockTable;
  readonly #listeners = new Set<ChangeListener>();
  #unsubscribe: (() => void) | null = null;

  constructor(locks: () => FileLockTable) {
    this.#locks = locks;
  }

  get isObserved(): boolean {
    return this.#listeners.size > 0;
  }

  add(listener: ChangeListener): void {
    this.#listeners.add(listener);
    this.#unsubscribe ??= this.#locks().subscribe(
      (change) => this.#tell((each) => each.changed(change)),
      () => this.#tell((each) => each.missed()),
    );
  }

  delete(listener: ChangeListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size === 0) this.#stop();
  }

  close(): void {
    this.#tell((each) => each.ended());
    this.#listeners.clear();
    this.#stop();
  }

  #tell(tell: (listener: ChangeListener) => void): void {
    for (const listener of [...this.#listeners]) tell(listener);
  }

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
  }
}
