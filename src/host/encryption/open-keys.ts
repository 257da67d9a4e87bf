import { isKeyOf, openKeyFile, type SealedKeyFile } from '../../disk/encryption/key-file.ts';
import { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import { requireKnownAnswers } from '../../disk/encryption/self-test.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { RootKeys } from './key-sources.ts';

/** @throws HoldfastError key-wrong, keys-damaged */
export function openKeys(rootKeys: RootKeys, file: SealedKeyFile, origin: string): OriginKeys {
  requireKnownAnswers();
  const rootKey = rootKeys.all.find((each) => isKeyOf(each, file, origin));
  if (rootKey === undefined) throw new HoldfastError('key-wrong', `The key that was given is not that of ${origin}, whose data key ${file.active} another one has wrapped. Nothing was opened.`);
  return new OriginKeys(origin, openKeyFile(rootKey, file, origin));
}
