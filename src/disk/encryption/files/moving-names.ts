import type { DecodedName, EncodedName } from '../../names/name.ts';
import type { NameScript } from '../../names/script.ts';

/**
 * Names of an origin that is being encrypted: what is new has an encrypted one, what was there may have either. An
 * encrypted name is authentic, so that no visible one is taken for it.
 */
export class MovingNames implements NameScript {
  readonly before: NameScript;
  readonly #sealed: NameScript;

  constructor(sealed: NameScript, visible: NameScript) {
    this.#sealed = sealed;
    this.before = visible;
  }

  encode(name: string): EncodedName {
    return this.#sealed.encode(name);
  }

  decode(component: string): DecodedName {
    return this.#sealed.decode(component) ?? this.before.decode(component);
  }

  decodeSpelling(component: string, spelling: string): string | null {
    return this.#sealed.decodeSpelling(component, spelling) ?? this.before.decodeSpelling(component, spelling);
  }
}
