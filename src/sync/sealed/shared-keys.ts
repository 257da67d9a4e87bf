import { Buffer } from 'node:buffer';
import { createHash, scrypt } from 'node:crypto';
import { equalBlocks } from '../../disk/encryption/aes-siv.ts';
import { isKeyOf, openKeyFile, parseKeyFile, sealKeyFile } from '../../disk/encryption/key-file.ts';
import { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import type { RootKeySource } from '../../disk/encryption/root-key-source.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import type { HubLog } from '../hub.ts';

/*
 * The keys that all regions of an origin share: a log of their own in the hub, in which each entry is a state of them,
 * wrapped as the file of keys of a root is. docs/FORMAT.md, "Encrypted logs".
 *
 *   version, SHA-256 of the state before (32 bytes; zeros: there is none), code (32), file of keys
 *
 * Invariants
 * - An entry takes effect if it names the state that is there by its digest: whoever comes second has lost, and of two
 *   regions that begin at once both take what comes first in the hub's order.
 * - Only who has the keys can bring others in their place: the code is made with one of the old ones, and the same one
 *   is among the new ones.
 * - The log's name is the same for all who know the origin's, whatever their key: so whoever has another is told.
 */
const VERSION = 1;
const DIGEST = 1;
const CODE = DIGEST + 32;
const FILE = CODE + 32;
const NOTHING = new Uint8Array(32);

/** Who knows the origin's name finds the log; who guesses names pays this for each: 16 MiB, tens of milliseconds. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const NAME_BYTES = 16;

/** Others may replace the keys while they are read; so often it is no coincidence. */
const ATTEMPTS = 16;
const AT_ONCE = 64;

interface State {
  readonly position: number;
  readonly bytes: Uint8Array;
  readonly keys: OriginKeys;
}

export class SharedKeys {
  readonly #source: RootKeySource;
  readonly #logOf: (name: string) => HubLog;
  #state: State | null = null;
  #reading: Promise<OriginKeys> | null = null;

  /** Does no I/O. `logOf`: as `Hub.log`. */
  constructor(source: RootKeySource, logOf: (name: string) => HubLog) {
    this.#source = source;
    this.#logOf = logOf;
  }

  get origin(): string {
    return this.#source.origin;
  }

  /** As of the last time that anybody looked; null before that. */
  get known(): OriginKeys | null {
    return this.#state?.keys ?? null;
  }

  /** What the names of all logs of the origin begin with, and that of the keys is. */
  name(): Promise<string> {
    return nameOf(this.origin);
  }

  /** Whether the hub has any; to ask makes nothing there. @throws HoldfastError as hubs do */
  async exist(): Promise<boolean> {
    if (this.#state !== null) return true;
    try {
      return (await (await this.#log()).read(0, 1)).length > 0;
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'hub-trimmed') return true;
      throw error;
    }
  }

  /** The keys, from the hub the first time; made where it has none. @throws HoldfastError as {@link refresh} */
  async open(): Promise<OriginKeys> {
    return this.known ?? this.refresh();
  }

  /**
   * The keys as they are in the hub now.
   *
   * @throws HoldfastError `key-wrong`, `key-missing`, `key-pending`, `keys-damaged`, and as hubs do
   */
  refresh(): Promise<OriginKeys> {
    return (this.#reading ??= this.#refresh().finally(() => (this.#reading = null)));
  }

  async #refresh(): Promise<OriginKeys> {
    const log = await this.#log();
    let state = await this.#read(log);
    if (state === null) {
      const made = await this.#wrapped(null, (kms) => OriginKeys.create(this.origin, { visibleNames: false, isMigrating: false, kms }));
      await log.append([{ id: randomUuid(), bytes: made }]);
      state = await this.#read(log);
    }
    if (state === null) throw new HoldfastError('hub-unreachable', `The hub took the keys of ${this.origin}, and does not give them.`);
    this.#state = state;
    return state.keys;
  }

  /**
   * Brings others, or the same wrapped anew, in the place of those that are there, of which nothing is left in the hub
   * then.
   *
   * @param change - `isCurrent`: what wraps them is the root key of now. Null: they stay
   * @returns whether they were replaced; false also where the hub has none
   * @throws HoldfastError `root-busy` when somebody else was faster; as {@link refresh}
   */
  async replace(change: (keys: OriginKeys, isCurrent: boolean) => OriginKeys | null): Promise<boolean> {
    const log = await this.#log();
    const before = await this.#read(log);
    if (before === null) return false;
    this.#state = before;
    const keys = change(before.keys, await this.#isCurrent(before));
    if (keys !== null) {
      const bytes = await this.#wrapped(before, (kms) => keys.withKms(kms));
      await log.append([{ id: randomUuid(), bytes }]);
      await this.refresh();
      if (!equalBlocks(bytes, this.#state?.bytes ?? NOTHING)) throw new HoldfastError('root-busy', `Another region has changed the keys of ${this.origin} meanwhile; try again.`);
    }
    await this.#forgetOthers(log);
    return keys !== null;
  }

  async #forgetOthers(log: HubLog): Promise<void> {
    const { first } = await log.head();
    const { position = 0, bytes = NOTHING } = this.#state ?? {};
    if (first > position) return;
    await log.putSnapshot({ position, bytes });
    await log.trim(position);
  }

  async #isCurrent({ bytes }: State): Promise<boolean> {
    const file = parseKeyFile(bytes.subarray(FILE), this.#label);
    await this.#source.prepare(file);
    return isKeyOf(this.#source.keysFor(file).active, file, this.#label);
  }

  async #log(): Promise<HubLog> {
    return this.#logOf(await this.name());
  }

  /** Null: there is nothing yet. */
  async #read(log: HubLog): Promise<State | null> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { position, first } = await log.head();
      const snapshot = first === 1 ? null : await log.snapshot();
      if (first > 1 && (snapshot === null || snapshot.position + 1 < first)) continue;
      let state = snapshot === null ? null : await this.#unwrapped(snapshot);
      try {
        for (let after = snapshot?.position ?? 0; after < position; ) {
          const entries = await log.read(after, AT_ONCE);
          if (entries.length === 0) break;
          for (const entry of entries) state = (await this.#next(state, entry)) ?? state;
          after += entries.length;
        }
        // Making others would be a new beginning, of which whoever has changed these could be the reason.
        if (state === null && position > 0) throw this.#damaged();
        return state;
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.code !== 'hub-trimmed') throw error;
      }
    }
    throw new HoldfastError('hub-damaged', `The hub has trimmed the keys of ${this.origin}, and has nothing that stands for them.`);
  }

  /** What an entry makes of a state; null: it has no effect. */
  async #next(state: State | null, entry: { readonly position: number; readonly bytes: Uint8Array }): Promise<State | null> {
    const { bytes } = entry;
    if (bytes.length < FILE || bytes[0] !== VERSION || !equalBlocks(bytes.subarray(DIGEST, CODE), digestOf(state))) return null;
    if (state !== null && !equalBlocks(state.keys.codeOf(coded(bytes)), bytes.subarray(CODE, FILE))) return null;
    return this.#unwrapped(entry);
  }

  async #unwrapped({ position, bytes }: { readonly position: number; readonly bytes: Uint8Array }): Promise<State> {
    const keys = await this.#opened(bytes.subarray(FILE));
    if (bytes[0] !== VERSION || !equalBlocks(keys.codeOf(coded(bytes)), bytes.subarray(CODE, FILE))) throw this.#damaged();
    return { position, bytes, keys };
  }

  async #opened(bytes: Uint8Array): Promise<OriginKeys> {
    try {
      const file = parseKeyFile(bytes, this.#label);
      await this.#source.prepare(file);
      const rootKey = this.#source.keysFor(file).all.find((each) => isKeyOf(each, file, this.#label));
      if (rootKey === undefined) throw new HoldfastError('key-wrong', `The key that was given is not the one with which the other regions of ${this.origin} have wrapped the keys that they share in the hub. Nothing was read or sent.`);
      return new OriginKeys(this.origin, openKeyFile(rootKey, file, this.#label));
    } catch (error) {
      if (error instanceof HoldfastError && error.code === 'keys-damaged') throw this.#damaged(error);
      throw error;
    }
  }

  #damaged(cause?: unknown): HoldfastError {
    return new HoldfastError('keys-damaged', `The keys of ${this.origin} in the hub make no sense, or were changed. Restore the hub from a backup.`, { cause });
  }

  async #wrapped(before: State | null, keysWith: (kms: Uint8Array) => OriginKeys): Promise<Uint8Array> {
    await this.#source.prepare(null);
    const { active, kms } = this.#source.keysFor(null);
    const keys = keysWith(kms);
    const file = sealKeyFile(active, keys.file, this.#label);
    const bytes = new Uint8Array(FILE + file.length);
    bytes[0] = VERSION;
    bytes.set(digestOf(before), DIGEST);
    bytes.set(file, FILE);
    bytes.set(keys.codeOf(coded(bytes)), CODE);
    return bytes;
  }

  /** What is wrapped here does not open as the keys of a root, nor the other way around. */
  get #label(): string {
    return `${this.origin} hub`;
  }
}

/** What the code of an entry is of. */
function coded(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes.subarray(0, CODE), bytes.subarray(FILE)]);
}

function digestOf(state: State | null): Uint8Array {
  return state === null ? NOTHING : createHash('sha256').update(state.bytes).digest();
}

/** By origins: all who ask in this realm pay once. */
const names = new Map<string, Promise<string>>();
const MOST_NAMES = 1024;

function nameOf(origin: string): Promise<string> {
  const known = names.get(origin);
  if (known !== undefined) return known;
  if (names.size >= MOST_NAMES) names.clear();
  const name = hashOf(origin);
  names.set(origin, name);
  return name;
}

function hashOf(origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    scrypt(origin, 'holdfast hub', NAME_BYTES, COST, (error, bytes) => {
      if (error === null) resolve(bytes.toString('hex'));
      else reject(error);
    });
  });
}
