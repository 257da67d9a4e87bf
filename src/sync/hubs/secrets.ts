import { errorsWithin, isError } from '../../runtime/errors.ts';

/** What stands in the place of a secret. */
const HIDDEN = '***';

/**
 * Knows the secrets of one hub, and takes them out of whatever is shown: messages of clients and servers may repeat
 * what they were given.
 */
export class Secrets {
  readonly #secrets = new Set<string>();

  /** Also as URLs hold it. What is no string, or an empty one, is no secret. */
  add(...secrets: readonly unknown[]): void {
    for (const secret of secrets) {
      if (typeof secret !== 'string' || secret === '') continue;
      this.#secrets.add(secret);
      this.#secrets.add(inUrl(secret));
    }
  }

  /** The text without secrets. */
  hide(text: string): string {
    // The longest first, for a secret may hold another.
    const secrets = [...this.#secrets].sort((a, b) => b.length - a.length);
    return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, HIDDEN), text);
  }

  /**
   * An error that says what `error` says and holds nothing else of it: errors of clients carry options, sockets and
   * rows along. Nor does it tell their stack, which repeats the message.
   */
  withoutSecrets(error: unknown): Error {
    const { message, code, name } = describe(error);
    const clean = new Error(this.hide(message));
    clean.name = this.hide(name);
    clean.stack = `${clean.name}: ${clean.message}`;
    return code === undefined ? clean : Object.assign(clean, { code: this.hide(code) });
  }
}

function inUrl(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // A lone surrogate; no URL can hold it.
    return text;
  }
}

/** What an error says, whatever it is; the parts of an AggregateError, which itself says nothing. */
export function describe(error: unknown): { message: string; code: string | undefined; name: string } {
  if (!isError(error)) return { message: String(error), code: undefined, name: 'Error' };
  const parts = errorsWithin(error);
  const message = error.message === '' ? parts.map((part) => describe(part).message).join('; ') : error.message;
  const code = (error as { code?: unknown }).code;
  return { message, code: code === undefined ? undefined : String(code), name: error.name };
}
