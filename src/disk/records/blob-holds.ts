/** Gives up what was held; harmless twice. */
export type Release = () => void;

/** Who keeps files of a bucket's databases that no record refers to, among all realms of the root. */
export interface BlobHolds {
  /** Lasts until it is released, or this realm ends. */
  hold(name: string): Release;
  /** Whether any realm that lives holds it. */
  isHeld(name: string): boolean;
}

/** For a root that no other realm has open. */
export class RealmHolds implements BlobHolds {
  readonly #counts = new Map<string, number>();

  hold(name: string): Release {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#release(name);
      isHeld = false;
    };
  }

  #release(name: string): void {
    const left = (this.#counts.get(name) ?? 1) - 1;
    if (left === 0) this.#counts.delete(name);
    else this.#counts.set(name, left);
  }

  isHeld(name: string): boolean {
    return this.#counts.has(name);
  }
}
