import process from 'node:process';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { parseOrigin } from '../origin.ts';
import { StorageHost } from '../storage-host.ts';
import { defaultOrigin, defaultRoot, globalNames } from './settings.ts';
import type { GlobalName, InstallSettings } from './settings.ts';

/** A variable that is not set, is empty, or may not be read (Deno without --allow-env) counts as absent. */
function variable(name: string): string | undefined {
  try {
    return process.env[name] === '' ? undefined : process.env[name];
  } catch {
    return undefined;
  }
}

function parseGlobals(list: string): GlobalName[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => {
      const found = globalNames.find((known) => known === name);
      if (found !== undefined) return found;
      throw new HoldfastError('bad-option', `HOLDFAST_GLOBALS knows ${globalNames.join(', ')}, not '${name}'.`);
    });
}

/**
 * What `HOLDFAST_ROOT`, `HOLDFAST_ORIGIN` and `HOLDFAST_GLOBALS` ask of an install. A program that was started with the
 * globals has one origin, the default one if need be: it never has to call `run`.
 *
 * @throws HoldfastError bad-option
 * @throws DOMException SecurityError for an opaque origin
 */
export function settingsFromEnvironment(): InstallSettings {
  const globals = variable('HOLDFAST_GLOBALS');
  return {
    host: new StorageHost({ root: variable('HOLDFAST_ROOT') ?? defaultRoot }),
    ownsHost: true,
    origin: parseOrigin(variable('HOLDFAST_ORIGIN') ?? defaultOrigin),
    globals: new Set(globals === undefined ? globalNames : parseGlobals(globals)),
    outside: 'default',
    exposure: 'all',
    native: 'replace',
    target: globalThis,
    defersCostly: true,
  };
}
