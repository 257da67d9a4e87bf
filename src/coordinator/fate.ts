import type { Fate } from '../disk/coordinator/owned-records.ts';
import { CoordinatorError, shown } from './errors.ts';
import type { Reply } from './messages.ts';
import type { CoordinatorKey } from './store.ts';

/** Of a call that has changed something before, as the ledger has it. @throws CoordinatorError coordinator-interrupted */
export function replyOfFate(key: CoordinatorKey, fate: Fate | 'got'): Reply {
  if (fate !== 'got' && 'bytes' in fate) return fate;
  if (fate === 'got') throw interrupted(`What became of this call of ${shown(key)} is not remembered any more.`, 'unknown');
  if (fate.kind === 'large') throw interrupted(`This call of ${shown(key)} has run, and its result was too large to be kept.`, 'ran');
  throw interrupted(`Whoever ran this call of ${shown(key)} ended amid it: what it had done up to its last await is there.`, 'partial');
}

function interrupted(message: string, outcome: 'unknown' | 'ran' | 'partial'): CoordinatorError {
  return new CoordinatorError('coordinator-interrupted', message, { outcome });
}
