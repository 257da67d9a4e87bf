import type { BlobHolds, Claim } from '../../../src/disk/records/database-locks.ts';

/** For a root that no other realm has open. */
export class RealmHolds implements BlobHolds {
  readonly #counts = new Map<string, number>();

  hold(name: string, file: number): Claim {
    const key = `${file}:${name}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    let isHeld = true;
    const release = (): void => {
      if (isHeld) this.#release(key);
      isHeld = false;
    };
    return { release, isLost: false, onLost: null };
  }

  #release(key: string): void {
    const left = (this.#counts.get(key) ?? 1) - 1;
    if (left === 0) this.#counts.delete(key);
    else this.#counts.set(key, left);
  }

  isHeld(name: string, file: number): boolean {
    return this.#counts.has(`${file}:${name}`);
  }
}
