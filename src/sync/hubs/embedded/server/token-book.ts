import fs from 'node:fs';
import { timingSafeEqual } from 'node:crypto';
import { systemCode } from '../../../../disk/journal/disk-error.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { type Timer, clearInterval, setInterval, uptime } from '../../../../runtime/timers.ts';
import { onlyToken, parseTokens, type Token, tokenDigest } from './tokens.ts';

/** How often the file is looked at, in milliseconds; and how often at most when somebody has an unknown token. */
const LOOK_MS = 1000;
const LOOK_AGAIN_MS = 100;

/** A larger file is none of tokens. */
const MOST_BYTES = 2 ** 22;

/** Where the tokens come from. */
export type TokenSource = { readonly token: string } | { readonly tokenFile: string };

/**
 * The tokens that a hub takes now. A file is read again when it changes; one that cannot be read, or makes no sense,
 * changes nothing, and is told of once.
 */
export class TokenBook {
  readonly #file: string | null;
  readonly #onProblem: (problem: HoldfastError) => void;
  #tokens: readonly Token[];
  /** What the file was like when it was read, or tried. */
  #seen = '';
  #lookedAt = 0;
  #timer: Timer | null = null;

  /** @throws HoldfastError `bad-option` */
  constructor(source: TokenSource, onProblem: (problem: HoldfastError) => void) {
    this.#onProblem = onProblem;
    if ('token' in source) {
      this.#file = null;
      this.#tokens = [onlyToken(source.token)];
      return;
    }
    this.#file = source.tokenFile;
    this.#seen = stateOf(this.#file);
    this.#tokens = readTokens(this.#file);
  }

  get size(): number {
    return this.#tokens.length;
  }

  /** Begins to look at the file. Keeps no process alive. */
  watch(): void {
    if (this.#file !== null) this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** The token of a request, by its header; null for none that is known. Takes the same time whichever it is, if any. */
  find(authorization: string | undefined): Token | null {
    const digest = tokenDigest(bearer(authorization));
    const found = this.#match(digest);
    if (found !== null || uptime() - this.#lookedAt < LOOK_AGAIN_MS) return found;
    // It may be new.
    return this.#look() ? this.#match(digest) : null;
  }

  #match(digest: Buffer): Token | null {
    let found: Token | null = null;
    for (const token of this.#tokens) if (timingSafeEqual(token.digest, digest)) found = token;
    return found;
  }

  /** Reads the file again if it has changed; whether there are other tokens now. */
  #look(): boolean {
    this.#lookedAt = uptime();
    if (this.#file === null) return false;
    const state = stateOf(this.#file);
    if (state === this.#seen) return false;
    this.#seen = state;
    try {
      this.#tokens = readTokens(this.#file);
      return true;
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      this.#onProblem(new HoldfastError(error.code, `${error.message} The tokens from before stay as they are.`, { cause: error }));
      return false;
    }
  }
}

function bearer(authorization = ''): string {
  return authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : '';
}

/** Changes when the file does, also where another one takes its place. */
function stateOf(file: string): string {
  try {
    const { ino, size, mtimeMs, ctimeMs } = fs.statSync(file);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
  } catch (error) {
    return systemCode(error);
  }
}

/** @throws HoldfastError `bad-option` */
function readTokens(file: string): readonly Token[] {
  try {
    const { size } = fs.statSync(file);
    if (size > MOST_BYTES) throw new HoldfastError('bad-option', `The token file ${file} has ${size} bytes; ${MOST_BYTES} are the most.`);
    return parseTokens(fs.readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    throw new HoldfastError('bad-option', `The file ${file} cannot be read (${systemCode(error) || String(error)}).`, { cause: error });
  }
}
