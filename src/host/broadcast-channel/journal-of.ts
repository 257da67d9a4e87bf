import { ChannelJournal } from '../../disk/channels/channel-journal.ts';
import type { EnginePlace } from '../bucket-engine.ts';

/** What the channels of a bucket go through, in this realm. `spans`: they reach other regions. */
export function journalOf({ place, root: { shared }, meter }: EnginePlace, spans?: boolean): ChannelJournal {
  return new ChannelJournal(place, { shared, spans, onCompaction: meter.compacted });
}
