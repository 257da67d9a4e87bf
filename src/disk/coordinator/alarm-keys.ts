import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { OriginVault } from '../root/origin-vault.ts';
import type { AlarmKey } from './alarm-records.ts';
import { namesWith } from './coordinator-names.ts';
import type { CoordinatorKey } from './coordinator-place.ts';

/** Keys by origins; null: the origin is not encrypted. */
export type VaultOf = (origin: string) => OriginVault | null;

/** What the index of alarms calls a coordinator. @throws as the names of coordinators do */
export function alarmKeyOf(key: CoordinatorKey, vault: OriginVault | null): AlarmKey {
  const names = namesWith(vault);
  return names.areEncrypted ? { origin: key.origin, ...names.spell(key).written, isEncrypted: true } : key;
}

/**
 * The coordinators among those of an index whose names can be read here. Where a key has to be waited for it is asked for,
 * and it is for the next look to find it.
 */
export function readableOf(keys: readonly AlarmKey[], vaultOf: VaultOf | null): CoordinatorKey[] {
  const closed = new Set<string>();
  return keys.flatMap((key) => {
    if (key.isEncrypted !== true) return key;
    const vault = vaultOf === null || closed.has(key.origin) ? null : vaultOf(key.origin);
    if (vault === null) return [];
    try {
      const names = namesWith(vault).read(key);
      return names === null ? [] : { origin: key.origin, ...names };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      closed.add(key.origin);
      if (error.code === 'key-pending') vault.prepare().catch(() => undefined);
      return [];
    }
  });
}
