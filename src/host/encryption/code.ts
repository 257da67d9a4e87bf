// All that a host with the option `encryption` needs, as one part.
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { encryptionSettings } from './options.ts';
import { HostVaults } from './vault.ts';

export { encryptionFrom } from './key-from-file.ts';

/** The vaults of a host's root. @throws HoldfastError bad-option; encryption-unsupported where the host syncs */
export function createVaults(root: string, encryption: unknown, sync: unknown): HostVaults {
  const settings = encryptionSettings(encryption);
  if (sync === undefined) return new HostVaults(root, settings);
  throw new HoldfastError('encryption-unsupported', "Options 'encryption' and 'sync' exclude each other yet: a hub would be sent what is not encrypted.");
}
