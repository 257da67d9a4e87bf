import { defineInterface, illegalConstructor, illegalInvocation, internal } from '../webidl/interface.ts';

/** https://w3c.github.io/web-locks/#enumdef-lockmode */
export type LockMode = 'shared' | 'exclusive';

/** A lock that is held while the callback that got it runs. https://w3c.github.io/web-locks/#api-lock */
export class Lock {
  readonly #name: string;
  readonly #mode: LockMode;

  /** @internal */
  constructor(token: typeof internal, name: string, mode: LockMode) {
    if (token !== internal) illegalConstructor();
    this.#name = name;
    this.#mode = mode;
  }

  get name(): string {
    if (!(#name in this)) throw illegalInvocation('Lock');
    return this.#name;
  }

  get mode(): LockMode {
    if (!(#mode in this)) throw illegalInvocation('Lock');
    return this.#mode;
  }
}

defineInterface(Lock, { name: 'Lock', attributes: ['name', 'mode'] });
