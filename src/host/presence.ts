import type { Presence } from '../disk/caches/party.ts';
import type { WebLockTable } from '../disk/locks/lock-table.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';

/**
 * Has others see that this realm lives, so that nobody sweeps its files, by a lock of a name that no application can have.
 * Nobody ever holds it alone, so it is granted at once.
 *
 * @throws HoldfastError
 */
export function appear(locks: Pick<WebLockTable, 'request'>, name: string): Presence {
  const turn = locks.request({ name, mode: 'shared', clientId: name, ifAvailable: false, steal: false });
  turn.granted.catch(() => undefined);
  const { held } = turn;
  if (held === null) throw new HoldfastError('disk-failed', 'A lock that nobody can have alone was not granted.');
  let holds = true;
  held.onLost = () => (holds = false);
  return {
    get holds() {
      return holds;
    },
    release: () => held.release(),
  };
}
