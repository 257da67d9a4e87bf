import type { RootKeySource } from '../../disk/encryption/root-key-source.ts';
import type { Hub } from '../../sync/hub.ts';
import { SharedKeys } from '../../sync/sealed/shared-keys.ts';

/**
 * Wraps the keys that an origin's regions share in a hub with the root key of now, where another one has, and gives them
 * a new data key if that is wanted. What was wrapped before is gone from the hub then.
 *
 * @returns whether anything was changed
 * @throws HoldfastError as hubs do; key-wrong, key-missing, key-pending, keys-damaged; root-busy when another region was faster
 */
export async function rekeyHub(hub: Hub, rootKeys: RootKeySource, withNewKey: boolean): Promise<boolean> {
  await hub.connect();
  const keys = new SharedKeys(rootKeys, (name) => hub.log(name));
  return keys.replace((held, isCurrent) => (withNewKey ? held.withNewKey() : isCurrent ? null : held));
}
