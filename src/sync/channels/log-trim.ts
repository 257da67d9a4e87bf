import type { HubLog } from '../hub.ts';

/** How long an entry stays at the hub, in milliseconds: a region that is slower has been away. */
const KEPT_MS = 10_000;
/** Entries within so many milliseconds go together. */
const SLOT_MS = 500;

/** Bytes of entries that may stay so long; beyond, the oldest go until fewer are left. */
const MOST_BYTES = 2 ** 26;
const LEFT_BYTES = 2 ** 25;

/** What stands for all entries that went: messages leave no state. */
const NOTHING = new Uint8Array(1);

interface Slot {
  position: number;
  bytes: number;
  /** When the first of its entries was read, in milliseconds. */
  readonly time: number;
}

/** Knows which entries of a log of channels nobody needs any more, and has the hub forget them. */
export class LogTrim {
  readonly #log: HubLog;
  readonly #slots: Slot[] = [];
  #bytes = 0;
  #isDue = false;

  constructor(log: HubLog) {
    this.#log = log;
  }

  /** An entry was read at a time; or entries up to a position, which are `bytes` at least, were there already. */
  passed(position: number, bytes: number, time: number): void {
    const last = this.#slots.at(-1);
    this.#bytes += bytes;
    if (last === undefined || time - last.time >= SLOT_MS) this.#slots.push({ position, bytes, time });
    else {
      last.position = position;
      last.bytes += bytes;
    }
  }

  /** This region has given the hub entries, or found some when it came: so it is one that takes them away. */
  oblige(): void {
    this.#isDue = true;
  }

  /** In how many milliseconds there is something to do; Infinity: nothing. */
  wait(now: number): number {
    const [oldest] = this.#slots;
    if (!this.#isDue || oldest === undefined) return Infinity;
    return this.#bytes > MOST_BYTES ? 0 : Math.max(0, oldest.time + SLOT_MS + KEPT_MS - now);
  }

  /** @throws as the hub does; later entries take these with them then */
  async run(now: number): Promise<void> {
    const upTo = this.#takeOld(now);
    if (this.#slots.length === 0) this.#isDue = false;
    await this.#log.putSnapshot({ position: upTo, bytes: NOTHING });
    await this.#log.trim(upTo);
  }

  #takeOld(now: number): number {
    const most = this.#bytes > MOST_BYTES ? LEFT_BYTES : MOST_BYTES;
    let upTo = 0;
    for (let [oldest] = this.#slots; oldest !== undefined; [oldest] = this.#slots) {
      if (this.#bytes <= most && oldest.time + SLOT_MS + KEPT_MS > now) break;
      this.#slots.shift();
      this.#bytes -= oldest.bytes;
      upTo = oldest.position;
    }
    return upTo;
  }
}
