/** Who is told that something happened to a name: once for all that one look at the journal brings. */
export class NameWatch {
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #stirred = new Set<string>();

  /** Whether any name is watched. */
  get isNeeded(): boolean {
    return this.#listeners.size > 0;
  }

  add(name: string, listener: () => void): () => void {
    const ofName = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, ofName);
    // The same function may be given twice.
    const own = (): void => listener();
    ofName.add(own);
    return () => {
      ofName.delete(own);
      if (ofName.size === 0 && this.#listeners.get(name) === ofName) this.#listeners.delete(name);
    };
  }

  /** Something happened to a name; true when somebody is to be told, and was not to be before. */
  note(name: string): boolean {
    if (!this.#listeners.has(name)) return false;
    this.#stirred.add(name);
    return this.#stirred.size === 1;
  }

  /** Anything may have happened; true as of {@link note}. */
  noteAll(): boolean {
    const before = this.#stirred.size;
    for (const name of this.#listeners.keys()) this.#stirred.add(name);
    return before === 0 && this.#stirred.size > 0;
  }

  tell(): void {
    const names = [...this.#stirred];
    this.#stirred.clear();
    for (const name of names) for (const listener of [...(this.#listeners.get(name) ?? [])]) listener();
  }
}
