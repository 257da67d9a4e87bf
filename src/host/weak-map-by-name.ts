/** A map from names to objects that it does not keep alive: an entry goes when its object does. */
export class WeakMapByName<T extends object> {
  readonly #references = new Map<string, WeakRef<T>>();
  readonly #registry = new FinalizationRegistry<string>((name) => {
    // The name may have been given to a new object meanwhile.
    if (this.get(name) === undefined) this.#references.delete(name);
  });

  get(name: string): T | undefined {
    return this.#references.get(name)?.deref();
  }

  set(name: string, value: T): void {
    this.#references.set(name, new WeakRef(value));
    this.#registry.register(value, name);
  }

  delete(name: string): void {
    this.#references.delete(name);
  }

  /** Those that are still alive. */
  *values(): Iterable<T> {
    for (const reference of this.#references.values()) {
      const value = reference.deref();
      if (value !== undefined) yield value;
    }
  }

  /** How many names it has, those of objects included whose end was not noticed yet. */
  get size(): number {
    return this.#references.size;
  }
}
