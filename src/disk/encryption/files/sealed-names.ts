import { createHash } from 'node:crypto';
import { escapeName, unescapeName } from '../../names/escape.ts';
import { COMPONENT_BYTES, LONG_COMPONENT, LONG_MARK, READABLE_BYTES } from '../../names/name.ts';
import type { DecodedName, EncodedName } from '../../names/name.ts';
import type { NameScript } from '../../names/script.ts';
import { type AesSiv, SIV_BYTES } from '../aes-siv.ts';
import { fromBase32, toBase32 } from './base32.ts';

/** Names that are kept as they were encrypted: some more than a program has in use at a time. */
const KEPT = 4_096;

/** Longer ones are not kept. */
const KEPT_LENGTH = 256;

/**
 * Names that are encrypted. Equal names get equal components, in whatever directory: there is nothing to keep beside
 * them, and a lookup needs none. What is not a name of ours is nobody's entry.
 */
export class SealedNames implements NameScript {
  readonly #cipher: AesSiv;
  readonly #kept = new Map<string, EncodedName>();

  constructor(cipher: AesSiv) {
    this.#cipher = cipher;
  }

  encode(name: string): EncodedName {
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const encoded = encodedAs(this.#spell(name));
    if (name.length <= KEPT_LENGTH) this.#keep(name, encoded);
    return encoded;
  }

  decode(component: string): DecodedName {
    if (component.includes(LONG_MARK)) {
      const hash = LONG_COMPONENT.exec(component)?.[1];
      return hash === undefined ? null : { spellingFile: LONG_MARK + hash };
    }
    const name = component.length <= COMPONENT_BYTES ? this.#unspell(component) : null;
    return name === null ? null : { name };
  }

  decodeSpelling(component: string, spelling: string): string | null {
    const name = this.#unspell(spelling);
    return name !== null && encodedAs(spelling).component === component ? name : null;
  }

  /** Whether it is what a name is encrypted to. */
  isSpelling(spelling: string): boolean {
    return this.#unspell(spelling) !== null;
  }

  #keep(name: string, encoded: EncodedName): void {
    if (this.#kept.size >= KEPT) this.#kept.clear();
    this.#kept.set(name, encoded);
  }

  /** The escapes keep apart what is no text: lone surrogates. */
  #spell(name: string): string {
    const plain = Buffer.from(escapeName(name, false), 'utf8');
    const sealed = new Uint8Array(plain.length + SIV_BYTES);
    this.#cipher.seal(plain, sealed, 0);
    return toBase32(sealed);
  }

  #unspell(spelling: string): string | null {
    const sealed = fromBase32(spelling);
    if (sealed === null || sealed.length < SIV_BYTES) return null;
    const plain = Buffer.alloc(sealed.length - SIV_BYTES);
    return this.#cipher.open(sealed, plain) ? unescapeName(plain.toString('utf8'), false) : null;
  }
}

function encodedAs(spelling: string): EncodedName {
  if (spelling.length <= COMPONENT_BYTES) return { component: spelling, long: null };
  const file = LONG_MARK + createHash('sha256').update(spelling).digest('hex');
  return { component: spelling.slice(0, READABLE_BYTES) + file, long: { file, spelling } };
}
