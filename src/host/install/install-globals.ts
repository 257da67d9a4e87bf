import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { StorageClient } from '../storage-client.ts';
import type { Definition } from './definition.ts';
import { globalDefinitions } from './global-definitions.ts';
import { layProperty } from './property-layers.ts';
import type { InstallSettings } from './settings.ts';

function define(definition: Definition): () => void {
  try {
    return layProperty(definition);
  } catch (cause) {
    throw new HoldfastError('bad-option', `install() cannot define '${String(definition.key)}': the target does not let it be redefined.`, {
      cause,
    });
  }
}

/** Undoes what was done, the last first; once. */
export type Undo = () => void;

/** Defines all of them or, when one cannot be defined, none. */
export function defineAll(definitions: readonly Definition[]): Undo {
  const undoing: Undo[] = [];
  const undo = (): void => {
    for (const step of undoing.splice(0).reverse()) step();
  };
  try {
    for (const definition of definitions) undoing.push(define(definition));
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** Installs the globals that nearly every program wants. */
export function installGlobals(settings: InstallSettings, current: () => StorageClient): Undo {
  const definitions = globalDefinitions(settings, current);
  if (settings.native === 'replace') return defineAll(definitions);
  // `in` reads nothing: reading a runtime's own global may print a warning.
  return defineAll(definitions.filter(({ target, key, descriptor }) => descriptor === undefined || !(key in target)));
}
