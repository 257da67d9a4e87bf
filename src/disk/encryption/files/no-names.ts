import type { NameScript } from '../../names/script.ts';
import { systemError } from '../../tree/open-plain.ts';

/**
 * For an origin that is not there, and has no keys yet: nothing in it has a name, and none can be written. Whoever makes
 * the origin asks for its names anew.
 */
export const noNames: NameScript = {
  encode: (name) => {
    throw systemError('ENOENT', name);
  },
  decode: () => null,
  decodeSpelling: () => null,
};
