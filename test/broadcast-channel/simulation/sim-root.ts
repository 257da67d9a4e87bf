import type { SpanJournal } from '../../../src/disk/channels/channel-journal.ts';
import { ChannelMachine } from '../../../src/disk/channels/channel-machine.ts';
import { encodeMessage, ECHO, FOREIGN, POST } from '../../../src/disk/channels/channel-records.ts';
import type { Chance } from '../../sync/simulation/chance.ts';
import type { Clock, Life } from './clock.ts';

/** What a listener heard: a message, and whether that had its place in the hub's order; or that some are gone. */
export type Heard = { readonly id: string; readonly placed: boolean } | 'missed';

interface SimRecord {
  readonly kind: number;
  readonly session: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

const text = { encoder: new TextEncoder(), decoder: new TextDecoder() };

export function encodeId(id: string): Uint8Array {
  return encodeMessage({ name: 'a', value: text.encoder.encode(id), files: [] });
}

export function decodeId(value: Uint8Array): string {
  return text.decoder.decode(value);
}

/** The journal of a root's channels: records that all of its processes see in one order, each when its turn comes. */
export class SimRoot {
  readonly records: SimRecord[] = [];
  readonly processes = new Set<SimProcess>();
}

/** A process of a root, with one listener. */
export class SimProcess implements Life, SpanJournal {
  state: Life['state'] = 'runs';
  readonly heard: Heard[] = [];
  /** How many messages it has posted. */
  posted = 0;
  readonly name: string;
  readonly #root: SimRoot;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #machine = new ChannelMachine();
  readonly #session: number;
  readonly #watchers = new Set<() => void>();
  #applied = 0;
  #sequence = 0;

  /** Begins where `like` is, with what that one's snapshot says. */
  constructor(name: string, root: SimRoot, like: SimProcess | null, world: { readonly clock: Clock; readonly chance: Chance }) {
    this.name = name;
    this.#root = root;
    this.#clock = world.clock;
    this.#chance = world.chance;
    this.#session = 1 + this.#chance.below(2 ** 50);
    if (like !== null) this.#restore(like);
    this.#machine.listener = {
      message: ({ value }) => void this.heard.push({ id: decodeId(value), placed: this.#isPlacing }),
      missed: () => void this.heard.push('missed'),
      cutOff: () => void this.heard.push('missed'),
      follows: () => undefined,
    };
    root.processes.add(this);
  }

  #restore(like: SimProcess): void {
    like.#catchUp();
    this.#machine.reset();
    for (const { kind, payload } of like.#machine.snapshot()) this.#machine.restore(kind, new Uint8Array(payload));
    this.#applied = like.#applied;
  }

  get #isPlacing(): boolean {
    return [ECHO, FOREIGN].includes(this.#root.records[this.#applied - 1]?.kind ?? 0);
  }

  current(): ChannelMachine['span'] {
    this.#catchUp();
    return this.#machine.span;
  }

  watch(onNews: () => void): () => void {
    this.#watchers.add(onNews);
    return () => this.#watchers.delete(onNews);
  }

  append(kind: number, payload: Uint8Array): void {
    this.#root.records.push({ kind, session: this.#session, sequence: (this.#sequence += 1), payload: new Uint8Array(payload) });
    for (const process of this.#root.processes) this.#clock.after(process === this ? 0 : this.#chance.next() * 5, process, () => process.#look());
    this.#catchUp();
  }

  /** @returns the message's id: whose, and the how manieth */
  post(): string {
    const id = `${this.name}#${(this.posted += 1)}`;
    this.append(POST, encodeId(id));
    return id;
  }

  #look(): void {
    this.#catchUp();
    for (const tell of this.#watchers) tell();
  }

  #catchUp(): void {
    for (let record = this.#root.records[this.#applied]; record !== undefined; record = this.#root.records[this.#applied]) {
      this.#applied += 1;
      this.#machine.apply(record);
    }
  }
}
