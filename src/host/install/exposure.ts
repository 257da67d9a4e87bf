import { requireOneOf } from '../option-checks.ts';
import { isWorkerRealm } from './realm.ts';
import { exposures } from './settings.ts';
import type { InstallSettings } from './settings.ts';

/** What a chosen exposure means in this realm. @throws HoldfastError bad-option */
export function exposureHere(value: unknown): InstallSettings['exposure'] {
  const exposure = requireOneOf('exposure', value, exposures);
  if (exposure !== 'standard') return exposure;
  return isWorkerRealm() ? 'worker' : 'window';
}
