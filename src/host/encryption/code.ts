// All that a host with the option `encryption` needs, as one part.
import { HostVaults } from './host-vaults.ts';
import { encryptionSettings } from './options.ts';

export { passingSealing } from './passing-sealing.ts';
export { encryptionFrom } from './key-from-file.ts';
export { encryptionSettings };
export { bounded } from './waiting.ts';

/** The vaults of a host's root. @throws HoldfastError bad-option */
export function createVaults(root: string, encryption: unknown): HostVaults {
  return new HostVaults(root, encryptionSettings(encryption));
}
