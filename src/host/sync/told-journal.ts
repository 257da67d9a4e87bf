import type { Replica } from '../../disk/replica/replica.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import { BASE, ENTRY, LINK } from '../../disk/replica/replica-kinds.ts';
import { syncs } from '../../runtime/channels.ts';
import type { Meter } from '../meter.ts';

type Area = 'localStorage' | 'files';

/** A journal as whoever speaks with the hub writes to it, who is heard of on the channel `holdfast:sync`. */
export function toldJournal(journal: ReplicaJournal, area: Area, meter: Meter): ReplicaJournal {
  const tell = (kind: number): void => {
    if (syncs.hasSubscribers) meter.tell(syncs, message(kind, area, journal.current()));
  };
  return {
    current: () => journal.current(),
    watch: (onNews) => journal.watch(onNews),
    append: (kind, payload) => {
      journal.append(kind, payload);
      if (kind === ENTRY || kind === BASE || kind === LINK) tell(kind);
    },
  };
}

function message(kind: number, area: Area, { link, position, pending }: Replica): object {
  const { connected, hub, problem } = link;
  const event = kind === ENTRY ? 'applied' : kind === BASE ? 'replaced' : connected ? 'connected' : 'disconnected';
  return { area, event, hub, position, pending: pending.length, problem };
}
