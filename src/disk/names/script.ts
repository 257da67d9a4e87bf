import { decodeName, decodeSpelling, encodeName } from './name.ts';
import type { DecodedName, EncodedName } from './name.ts';

/** How the names of a tree's entries are written as components of paths. Two names never get one component. */
export interface NameScript {
  encode(name: string): EncodedName;
  decode(component: string): DecodedName;
  /** The long name that `spelling` spells, if `component` is its component; null when the file is torn or forged. */
  decodeSpelling(component: string, spelling: string): string | null;
  /** How entries may be written that have not been renamed yet: only ever to what `encode` gives, and under their locks. */
  readonly before?: NameScript;
}

/** Names as they are, as far as the volume can hold them. */
function scriptFor(foldsNames: boolean): NameScript {
  return {
    encode: (name) => encodeName(name, foldsNames),
    decode: (component) => decodeName(component, foldsNames),
    decodeSpelling: (component, spelling) => decodeSpelling(component, spelling, foldsNames),
  };
}

const exact = scriptFor(false);
const folding = scriptFor(true);

export function plainScript(foldsNames: boolean): NameScript {
  return foldsNames ? folding : exact;
}
