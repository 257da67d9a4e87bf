import { requireDescriptors } from './descriptors.ts';
import { errorMessage } from './errors.ts';
import { HoldfastError } from './holdfast-error.ts';

/** More than a runtime has open at once while it loads one of ours, with what that imports. */
const DESCRIPTORS = 12;

/** Settles when nothing is being loaded: Jest's loader fails where two imports at once need the same module. */
let last: Promise<unknown> = Promise.resolve();

/** Calls `load` when what is being loaded has been, or has failed. */
function inTurn<Module>(load: () => Promise<Module>): Promise<Module> {
  const loaded = last.then(load);
  last = loaded.catch(() => undefined);
  return loaded;
}

/** Code that many programs do without, and that is loaded when it is first needed. */
export class Code<Module> {
  readonly #import: () => Promise<Module>;
  #loading: Promise<Module> | undefined;
  #module: Module | undefined;

  constructor(load: () => Promise<Module>) {
    this.#import = load;
  }

  /**
   * All wait for one promise, so that they go on in the order of their calls. After a failure the next call tries again.
   *
   * @throws HoldfastError `disk-failed`
   */
  load(): Promise<Module> {
    return (this.#loading ??= inTurn(() => this.#load()).catch((error: unknown) => {
      this.#loading = undefined;
      throw error;
    }));
  }

  async #load(): Promise<Module> {
    try {
      // A runtime remembers for ever that an import has failed: it is not even tried without the descriptors it takes.
      requireDescriptors(DESCRIPTORS);
      return (this.#module = await this.#import());
    } catch (error) {
      throw new HoldfastError('disk-failed', `A part of Holdfast's code could not be loaded: ${errorMessage(error)}`, { cause: error });
    }
  }

  /** To be asked for once `load` has resolved. */
  get loaded(): Module {
    if (this.#module === undefined) throw new Error('code was asked for before it was loaded');
    return this.#module;
  }
}
