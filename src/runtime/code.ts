/** Code that many programs do without, and that is loaded when it is first needed. */
export class Code<Module> {
  readonly #import: () => Promise<Module>;
  #loading: Promise<Module> | undefined;
  #module: Module | undefined;

  constructor(load: () => Promise<Module>) {
    this.#import = load;
  }

  /** All wait for one promise, so that they go on in the order of their calls. Fails as an import does; then the next call tries again. */
  load(): Promise<Module> {
    return (this.#loading ??= this.#load());
  }

  async #load(): Promise<Module> {
    try {
      return (this.#module = await this.#import());
    } catch (error) {
      this.#loading = undefined; // such as too many open files
      throw error;
    }
  }

  /** To be asked for once `load` has resolved. */
  get loaded(): Module {
    if (this.#module === undefined) throw new Error('code was asked for before it was loaded');
    return this.#module;
  }
}
