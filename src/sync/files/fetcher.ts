import type { Locator } from '../../disk/locator.ts';
import type { FileLook, Fingerprint } from '../../disk/tree/look.ts';
import type { Swap } from '../../disk/tree/swap.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { fillWithContent } from './fill.ts';
import { isLegalLocator, keyOf } from './locators.ts';
import type { Manifest } from './manifest.ts';
import type { Surroundings } from './surroundings.ts';

/** Puts the content of files in the place of their stubs. Works in every process, whichever talks to the hub. */
export class Fetcher {
  readonly #surroundings: Omit<Surroundings, 'eager' | 'report' | 'region'>;
  readonly #running = new Map<string, Promise<void>>();

  constructor(surroundings: Omit<Surroundings, 'eager' | 'report' | 'region'>) {
    this.#surroundings = surroundings;
  }

  /**
   * Whoever asks for a file that is being fetched waits for the same. Does nothing when the file is no stub.
   *
   * @throws HoldfastError `hub-damaged` when a chunk is missing or damaged, and as hubs do; TreeError. The stub stays.
   */
  fetch(locator: Locator): Promise<void> {
    const key = keyOf(locator);
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#fetch(locator).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #fetch(locator: Locator): Promise<void> {
    const { tree } = this.#surroundings;
    const look = tree.look(locator);
    const bytes = look?.kind === 'file' && look.marked ? tree.manifest(locator) : null;
    if (look?.kind !== 'file' || bytes === null) return;
    const manifest = this.#surroundings.stubs.decode(bytes) ?? this.#knownManifest(locator, look);
    const swap = await tree.swap();
    try {
      const fingerprint = await fillWithContent(swap, manifest, this.#surroundings);
      await this.#replace(locator, look, swap, fingerprint);
    } finally {
      swap.discard();
    }
  }

  /** For a stub that the disk has damaged. */
  #knownManifest(locator: Locator, { fingerprint }: FileLook): Manifest {
    const { applied, view } = this.#surroundings.journal.state();
    const known = isLegalLocator(locator) ? applied.get(locator) : undefined;
    const entry = known === undefined ? undefined : view.get(locator);
    if (known?.kind === 'file' && known.fingerprint === fingerprint && entry?.kind === 'file' && entry.key === known.key) {
      return entry.manifest;
    }
    throw new HoldfastError('hub-damaged', 'What says where the content is was damaged on this disk.');
  }

  /**
   * An operation that creates what is there already is in nobody's way, whatever handles hold, and keeps every operation
   * out that would put something else there; and it changes nothing, so nobody hears of it.
   */
  async #replace(locator: Locator, stub: FileLook, swap: Swap, fingerprint: Fingerprint): Promise<void> {
    const { locks, tree, journal } = this.#surroundings;
    await locks.operate({ operation: 'create', kind: 'file', source: locator }, async () => {
      const now = tree.look(locator);
      if (now?.kind === 'file' && now.fingerprint === stub.fingerprint) {
        const known = journal.state().applied.get(locator);
        await tree.replace(swap, locator);
        // Were this not noted, the file would be found to have the content that is known.
        if (known?.kind === 'file' && known.fingerprint === stub.fingerprint) {
          journal.appendApplied([{ locator, state: { ...known, fingerprint } }]);
        }
      }
      return { changed: false, value: undefined };
    });
  }
}
