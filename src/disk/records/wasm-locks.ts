/** https://www.sqlite.org/c3ref/c_lock_exclusive.html */
export const lockLevels = { none: 0, shared: 1, reserved: 2, pending: 3, exclusive: 4 } as const;

/**
 * SQLite's locks among the connections of this realm. All others are kept away by the lock table, but where somebody made
 * a mistake here, a connection must not take another's journal for one that was left behind, and undo its transaction.
 */
export class WasmLocks {
  /** Of each file, who has locked it, and how. */
  readonly #files = new Map<string, Map<object, number>>();

  /** False: another one is in the way. */
  lock(path: string, owner: object, level: number): boolean {
    const file = this.#files.get(path) ?? new Map<object, number>();
    const highest = this.#highestOfOthers(file, owner);
    if (level === lockLevels.shared && highest >= lockLevels.pending) return false;
    if (level === lockLevels.reserved && highest >= lockLevels.reserved) return false;
    if (level >= lockLevels.pending && highest > lockLevels.none) return false;
    file.set(owner, Math.max(level, file.get(owner) ?? lockLevels.none));
    this.#files.set(path, file);
    return true;
  }

  unlock(path: string, owner: object, level: number): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    if (level === lockLevels.none) file.delete(owner);
    else file.set(owner, level);
    if (file.size === 0) this.#files.delete(path);
  }

  isReserved(path: string): boolean {
    return [...(this.#files.get(path)?.values() ?? [])].some((level) => level >= lockLevels.reserved);
  }

  #highestOfOthers(file: ReadonlyMap<object, number>, owner: object): number {
    let highest: number = lockLevels.none;
    for (const [other, level] of file) if (other !== owner) highest = Math.max(highest, level);
    return highest;
  }
}
