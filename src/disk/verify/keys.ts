import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { parseKeyFile } from '../encryption/key-file.ts';
import { readKeys } from '../encryption/key-store.ts';
import type { PlaceKeys } from '../place.ts';
import { isEncrypted } from '../root/encrypted.ts';
import { KEYS } from '../root/origin-vault.ts';
import type { Root } from '../root/root.ts';
import type { Fault } from './finding.ts';

/** What is known of an origin's keys. */
export interface OriginKeysFound {
  readonly isEncrypted: boolean;
  /** Those of a bucket, by its path in the origin's directory; null: it is not encrypted, or nothing opens it. */
  readonly keysOf: ((bucket: string) => PlaceKeys) | null;
  readonly faults: readonly Fault[];
}

/** Opens the keys of an origin, if there are any and the root's are given; else only looks whether they are whole. */
export function findKeys(root: Root, origin: string, directory: string): OriginKeysFound {
  if (!isEncrypted(directory)) return { isEncrypted: false, keysOf: null, faults: [] };
  try {
    parseKeyFile(readKeys(directory) ?? new Uint8Array(0), origin);
    const vault = root.vaults?.of(origin);
    vault?.require(true);
    return { isEncrypted: true, keysOf: vault === undefined ? null : (bucket) => vault.place(bucket), faults: [] };
  } catch (error) {
    return { isEncrypted: true, keysOf: null, faults: [faultOf(error, path.join(directory, KEYS))] };
  }
}

function faultOf(error: unknown, file: string): Fault {
  const code = error instanceof HoldfastError ? error.code : '';
  const kind = code === 'keys-damaged' ? 'damaged' : code === 'root-newer' ? 'newer' : 'unreadable';
  const cost = kind === 'damaged' ? ' Without them all of the origin is lost.' : '';
  return { kind, path: file, offset: 0, length: 0, message: errorMessage(error) + cost };
}
