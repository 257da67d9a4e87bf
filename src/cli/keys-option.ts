import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { encryptionPart } from '../host/encryption/provide.ts';
import { hostFromEnvironment } from '../host/install/environment.ts';
import type { StorageHostOptions } from '../host/options.ts';
import { errorCode, errorMessage, isError } from '../runtime/errors.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { type Command, UsageError } from './command.ts';

/** Options of commands that open what is encrypted. */
export const keyOptions = {
  'key-file': { value: 'FILE', help: 'the file with the key of encrypted origins; default: HOLDFAST_KEY_FILE in the environment' },
  keys: { value: 'MODULE', help: 'in its place an ES module that exports a host\'s option encryption: a kms, keyFor(), a store' },
} as const;

export interface KeyValues {
  readonly 'key-file'?: string;
  readonly keys?: string;
}

export type Encryption = NonNullable<StorageHostOptions['encryption']>;

/** For who has given no key, by which a command would have gone on; empty for all else. */
export function howToGiveKey({ code, message }: HoldfastError, { options }: Pick<Command, 'options'>, args: readonly string[]): string {
  const isGiven = (process.env['HOLDFAST_KEY_FILE'] ?? '') !== '' || args.some((argument) => /^--key(s|-file)(=|$)/.test(argument));
  if (code !== 'key-missing' || isGiven || !('keys' in options) || message.includes('--key')) return '';
  return " '--key-file FILE', or HOLDFAST_KEY_FILE in the environment, names the file with the key; '--keys MODULE' gives it by a program.";
}

/** By what was given on the command line: however often a command asks, its module is loaded once. */
const loaded = new WeakMap<KeyValues, Promise<Encryption>>();
let isAnyLoaded = false;

/** Whether code was loaded that may have something open, such as connections, which nobody here can close. */
export function hasLoadedKeys(): boolean {
  return isAnyLoaded;
}

/**
 * What was given as an option goes before what the environment says. To be asked before anything is changed.
 *
 * @throws UsageError; HoldfastError bad-option, key-pending
 */
export async function encryptionOf(values: KeyValues): Promise<Encryption | undefined> {
  const { 'key-file': file, keys } = values;
  if (keys === undefined) return file === undefined ? hostFromEnvironment().encryption : encryptionPart.code.encryptionFrom(file, '--key-file');
  if (file !== undefined) throw new UsageError("'--keys' and '--key-file' exclude each other");
  if (keys === '') throw new UsageError("'--keys' takes an ES module");
  const before = loaded.get(values);
  if (before !== undefined) return before;
  const loading = load(keys);
  loaded.set(values, loading);
  return loading;
}

async function load(file: string): Promise<Encryption> {
  isAnyLoaded = true;
  const { bounded, encryptionSettings } = encryptionPart.code;
  const late = (cause: Error): HoldfastError => new HoldfastError('key-pending', `The module '${file}' of --keys did not say within ten seconds what opens encrypted origins.`, { cause });
  const given = await bounded(file, exportOf(file), late);
  try {
    encryptionSettings(given);
  } catch (cause) {
    if (!(cause instanceof HoldfastError)) throw unusable(file, cause);
    throw new HoldfastError('bad-option', `The module '${file}' of --keys does not export what opens encrypted origins: ${errorMessage(cause)}`, { cause });
  }
  return given as Encryption;
}

/** Its default export, or what that gives. */
async function exportOf(file: string): Promise<unknown> {
  try {
    const { default: given } = (await import(pathToFileURL(path.resolve(file)).href)) as { default?: unknown };
    return await (typeof given === 'function' ? (given as () => unknown)() : given);
  } catch (cause) {
    throw unusable(file, cause);
  }
}

/** What it throws may say what nobody else should know: it is the cause, and not repeated. */
function unusable(file: string, cause: unknown): HoldfastError {
  const code = errorCode(cause);
  const kind = /^E[A-Z_]+$/.test(code) ? code : isError(cause) && cause.name === 'SyntaxError' ? 'SyntaxError' : 'it threw an error';
  return new HoldfastError('bad-option', `The module '${file}' of --keys cannot be loaded (${kind}).`, { cause });
}
