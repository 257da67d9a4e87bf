import process from 'node:process';
import type { Durability } from '../../disk/root/durable.ts';
import { encryptionPart } from '../encryption/provide.ts';
import { bad } from '../option-checks.ts';
import { parseOrigin } from '../origin.ts';
import { StorageHost } from '../storage-host.ts';
import type { StorageClient } from '../storage-client.ts';
import type { StorageHostOptions } from '../options.ts';
import { exposureHere } from './exposure.ts';
import { defaultOrigin, defaultRoot, exposures, globalNames } from './settings.ts';
import type { GlobalName, InstallSettings } from './settings.ts';

/*
 * What HOLDFAST_ variables say. Those that decide which globals there are (GLOBALS, EXPOSURE, EVENTS) are read when the
 * globals are installed. The others are read at the first use of a storage, since some programs set them later than they
 * are started (a process manager's cluster, a .env file); what is wrong with them by the install is said at once.
 */

/** A variable that is not set, is empty, or may not be read (Deno without --allow-env) counts as absent. */
function variable(name: string): string | undefined {
  try {
    return process.env[name] === '' ? undefined : process.env[name];
  } catch {
    return undefined;
  }
}

/** What `parse` makes of a variable that is there. */
function parsed<T>(name: string, parse: (value: string) => T): T | undefined {
  const value = variable(name);
  return value === undefined ? undefined : parse(value);
}

function oneOf<T extends string>(name: string, values: readonly T[], value: string): T {
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw bad(`${name} knows ${values.join(', ')}, not '${value}'.`);
  return found;
}

function parseGlobals(list: string): GlobalName[] {
  const names = list.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '').map((name) => oneOf('HOLDFAST_GLOBALS', globalNames, name));
}

function parseQuota(bytes: string): number {
  if (/^\d+$/.test(bytes)) return Number(bytes);
  throw bad(`HOLDFAST_QUOTA is a number of bytes, such as 10485760, not '${bytes}'.`);
}

function parseFlag(flag: string): boolean {
  return ['1', 'true'].includes(oneOf('HOLDFAST_EVENTS', ['1', '0', 'true', 'false'], flag));
}

function originFromEnvironment(): string {
  return parsed('HOLDFAST_ORIGIN', parseOrigin) ?? defaultOrigin;
}

const durabilities: readonly Durability[] = ['relaxed', 'strict'];

/** The options of a host, as HOLDFAST_ variables say. @throws HoldfastError bad-option */
export function hostFromEnvironment(): StorageHostOptions {
  const quota = parsed('HOLDFAST_QUOTA', parseQuota);
  const durability = parsed('HOLDFAST_DURABILITY', (value) => oneOf('HOLDFAST_DURABILITY', durabilities, value));
  const encryption = parsed('HOLDFAST_KEY_FILE', (file) => encryptionPart.code.encryptionFrom(file));
  return {
    root: variable('HOLDFAST_ROOT') ?? defaultRoot,
    ...(encryption !== undefined && { encryption }),
    ...(quota !== undefined && { quota }),
    ...(durability !== undefined && { durability }),
  };
}

/** The storage that the environment chooses, by the time somebody asks for it. */
export class EnvironmentStorage {
  #host: StorageHost | undefined;

  /** The host, which nobody has to close. @throws HoldfastError bad-option */
  get host(): StorageHost {
    return (this.#host ??= new StorageHost(hostFromEnvironment()));
  }

  /** @throws HoldfastError bad-option; DOMException SecurityError for an opaque origin */
  get client(): StorageClient {
    return this.host.origin(originFromEnvironment());
  }
}

/**
 * What the environment asks of an install. A program that was started with the globals has one origin, the default one
 * if need be: it never has to call `run`.
 *
 * @throws HoldfastError bad-option
 * @throws DOMException SecurityError for an opaque origin
 */
export function settingsFromEnvironment(storage: EnvironmentStorage): InstallSettings & { readonly events: boolean } {
  originFromEnvironment();
  hostFromEnvironment();
  return {
    globals: new Set(parsed('HOLDFAST_GLOBALS', parseGlobals) ?? globalNames),
    exposure: parsed('HOLDFAST_EXPOSURE', (value) => exposureHere(oneOf('HOLDFAST_EXPOSURE', exposures, value))) ?? 'all',
    events: parsed('HOLDFAST_EVENTS', parseFlag) ?? false,
    outside: () => storage.client,
    native: 'replace',
    target: globalThis,
  };
}
