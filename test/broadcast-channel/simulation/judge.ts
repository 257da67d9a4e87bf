import { decodeMessage } from '../../../src/disk/channels/channel-records.ts';
import type { NewEntry } from '../../../src/sync/hub.ts';
import { Assembly } from '../../../src/sync/channels/channel-wire.ts';
import { decodeId, type Heard } from './sim-root.ts';

/** What a listener of a region was to hear. */
export interface Witness {
  readonly name: string;
  readonly region: string;
  readonly heard: readonly Heard[];
  /** What its region had posted when it came. */
  readonly from: ReadonlySet<string>;
  /** Whether it was there to the end. */
  readonly lasted: boolean;
}

/** A region, from whose processes' messages others are told apart by their names. */
export function regionOf(id: string): string {
  return id.slice(0, id.indexOf('.'));
}

function senderAndNumber(id: string): readonly [string, number] {
  const at = id.indexOf('#');
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

/** What the hub has, and what each listener should make of it. */
export class Judge {
  /** The messages in the hub's order. */
  readonly order: string[] = [];
  /** The regions that were away when a message came to the hub, by its id. */
  readonly away = new Map<string, readonly string[]>();
  /** All that was posted. */
  readonly posted: string[] = [];
  readonly #assembly = new Assembly();
  #entries = 0;

  /** Entries were appended, while some regions were away. */
  appended(entries: readonly NewEntry[], away: readonly string[]): void {
    for (const { bytes } of entries) {
      const placed = this.#assembly.add({ position: (this.#entries += 1), bytes });
      for (const { message } of placed?.posts ?? []) this.#add(decodeId(decodeMessage(message).value), away);
    }
  }

  #add(id: string, away: readonly string[]): void {
    this.order.push(id);
    this.away.set(id, away);
  }

  /** What is wrong, in a sentence; null: nothing. */
  faultOf(witnesses: readonly Witness[]): string | null {
    if (new Set(this.order).size < this.order.length) return 'the hub was given a message twice';
    for (const witness of witnesses) {
      const fault = this.#twice(witness) ?? this.#order(witness) ?? this.#absent(witness) ?? this.#gaps(witness) ?? this.#own(witness);
      if (fault !== null) return `${witness.name} ${fault}`;
    }
    return null;
  }

  #twice({ heard }: Witness): string | null {
    const last = new Map<string, number>();
    for (const each of heard) {
      if (each === 'missed') continue;
      const [sender, number] = senderAndNumber(each.id);
      if (number <= (last.get(sender) ?? 0)) return `heard ${each.id} twice, or after what was posted later`;
      last.set(sender, number);
    }
    return null;
  }

  /** What has a place is heard in the order of places. */
  #order({ heard }: Witness): string | null {
    const placed = heard.flatMap((each) => (each !== 'missed' && each.placed ? [this.order.indexOf(each.id)] : []));
    const at = placed.findIndex((place, index) => place < 0 || place <= (placed[index - 1] ?? -1));
    return at < 0 ? null : `heard what is at ${placed[at]} of the order after what is at ${placed[at - 1]}`;
  }

  #absent({ heard, region }: Witness): string | null {
    const old = heard.find((each) => each !== 'missed' && this.away.get(each.id)?.includes(region) === true);
    return old === undefined || old === 'missed' ? null : `heard ${old.id}, which was sent while its region was away`;
  }

  /** Of what others posted, nothing is passed over without a word. */
  #gaps({ heard, region }: Witness): string | null {
    const foreign = this.order.filter((id) => regionOf(id) !== region);
    let next: number | null = null;
    for (const each of heard) {
      if (each === 'missed') next = null;
      else if (regionOf(each.id) !== region) {
        const at = foreign.indexOf(each.id);
        if (next !== null && at !== next) return `was not told that ${foreign[next]} is gone before it heard ${each.id}`;
        next = at + 1;
      }
    }
    return null;
  }

  /** Within a region nothing is ever lost. */
  #own({ heard, region, from, lasted }: Witness): string | null {
    if (!lasted) return null;
    const ids = new Set(heard.flatMap((each) => (each === 'missed' ? [] : [each.id])));
    const lost = this.posted.find((id) => regionOf(id) === region && !from.has(id) && !ids.has(id));
    return lost === undefined ? null : `never heard ${lost} of its own region`;
  }
}
