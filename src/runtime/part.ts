import { createRequire } from 'node:module';
import { errorMessage } from './errors.ts';
import { HoldfastError } from './holdfast-error.ts';

/**
 * Code that many programs do without, and that whoever needs it cannot wait for: it is required at its first use, as a
 * module of its own beside this code. Programs that were bundled have no such module; they import what provides it.
 */
export class Part<Module> {
  readonly #door: string;
  #module: Module | undefined;

  /** `door`: how the package's users import what provides it; its file is named after the last segment. */
  constructor(door: string) {
    this.#door = door;
  }

  /** For the door. */
  provide(module: Module): void {
    this.#module = module;
  }

  /** @throws HoldfastError `disk-failed` where it is neither provided nor beside this code */
  get code(): Module {
    if (this.#module === undefined) this.#require();
    if (this.#module === undefined) throw new Error(`the door ${this.#door} has not provided its code`);
    return this.#module;
  }

  #require(): void {
    try {
      // From the chunk that this is built into; on every runtime it shares the modules that are loaded already.
      createRequire(import.meta.url)(`../${this.#door.slice(this.#door.lastIndexOf('/') + 1)}.js`);
    } catch (cause) {
      const message = `A part of Holdfast's code could not be loaded: ${errorMessage(cause)}. A bundled program has to import '${this.#door}' itself.`;
      throw new HoldfastError('disk-failed', message, { cause });
    }
  }
}
