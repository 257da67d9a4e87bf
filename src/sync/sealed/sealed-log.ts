import type { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { BlobCollection, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from '../hub.ts';
import { hex, sha256 } from '../replicator/digest.ts';
import type { NamesBlobs } from '../replicator/digest.ts';
import { History, splitWitness, withWitness } from './history.ts';
import { keyIdOf, Seal } from './seal.ts';
import type { Flaw, Kind } from './seal.ts';
import type { SharedKeys } from './shared-keys.ts';

export interface SealedLogOptions {
  readonly keys: Pick<SharedKeys, 'known' | 'open' | 'refresh' | 'name'>;
  /** What the log is to its origin, such as `https://app.example files`: for messages, and in all that it holds. */
  readonly name: string;
  readonly hubName: string;
  /** As `Hub.log`. */
  readonly logOf: (name: string) => HubLog;
  /** Hears that the hub gives regions different orders, as it may for a moment where it was restored. */
  readonly onDiscord: (sentence: string) => void;
}

/** A blob that was sealed, or opened, lately. */
interface KnownBlob {
  readonly name: string;
  readonly digest: Uint8Array;
  /** Null: it was opened. */
  readonly sealed: Uint8Array | null;
}

/**
 * A log of which the hub sees nothing but positions, sizes and times: entries, snapshots and blobs are encrypted, and it
 * has a name that says nothing. Invariants:
 * - nothing that does not open, as what it is and in its place, comes to whoever reads: it is an error that names it;
 * - nothing plain is ever given to the hub behind it.
 */
export class SealedLog implements HubLog, NamesBlobs {
  readonly #options: SealedLogOptions;
  readonly #seal: Seal;
  readonly #history = new History();
  readonly #blobs = new WeakMap<Uint8Array, KnownBlob>();
  #opening: Promise<HubLog> | null = null;
  #epoch = '';

  /** Does no I/O. */
  constructor(options: SealedLogOptions) {
    this.#options = options;
    this.#seal = new Seal(options.name);
  }

  async head(): Promise<LogHead> {
    const head = await (await this.#log()).head();
    if (head.epoch !== this.#epoch) this.#history.forget();
    this.#epoch = head.epoch;
    return head;
  }

  async append(entries: readonly NewEntry[], blobs?: readonly string[]): Promise<number> {
    const log = await this.#log();
    const witness = this.#history.witness();
    return log.append(entries.map(({ id, bytes }) => ({ id, bytes: this.#sealed(withWitness(witness, bytes), ['entry']) })), blobs);
  }

  /** What comes before an entry that does not open is given; it is the next call that throws. */
  async read(after: number, limit: number): Promise<readonly HubEntry[]> {
    const opened: HubEntry[] = [];
    for (const entry of await (await this.#log()).read(after, limit)) {
      try {
        opened.push(await this.#entry(entry));
      } catch (error) {
        if (opened.length > 0) break;
        throw error;
      }
    }
    return opened;
  }

  async #entry({ position, bytes }: HubEntry): Promise<HubEntry> {
    const what = `Entry ${position}`;
    const { witness, bytes: content } = splitWitness(await this.#opened(bytes, ['entry'], what));
    this.#history.saw(position, bytes);
    if (!this.#history.agrees(witness, position)) {
      this.#options.onDiscord(`${what} of ${this.#where} was sent by a region that had other entries before it, up to ${witness.to}: the hub was restored, or gives regions different orders.`);
    }
    return { position, bytes: content };
  }

  subscribe(onNews: () => void): Unsubscribe {
    let end: Unsubscribe | null = null;
    let isEnded = false;
    const begin = (log: HubLog): void => {
      if (!isEnded) end = log.subscribe(onNews);
    };
    // Whoever cannot open it asks by itself, and is told why.
    this.#log().then(begin, () => undefined);
    return () => {
      isEnded = true;
      end?.();
    };
  }

  async snapshot(): Promise<HubSnapshot | null> {
    const snapshot = await (await this.#log()).snapshot();
    if (snapshot === null) return null;
    const { position, bytes } = snapshot;
    return { position, bytes: await this.#opened(bytes, ['snapshot', position], `The snapshot at ${position}`) };
  }

  async putSnapshot({ position, bytes }: HubSnapshot): Promise<void> {
    const log = await this.#log();
    await log.putSnapshot({ position, bytes: this.#sealed(bytes, ['snapshot', position]) });
  }

  async trim(upTo: number): Promise<void> {
    await (await this.#log()).trim(upTo);
  }

  /** Keys are looked up, never tried: so a name is of what the key that is active makes of it, unless another is known. */
  blobDigest(bytes: Uint8Array, isKnown?: (name: string) => boolean): Uint8Array {
    const known = this.#blobs.get(bytes) ?? (isKnown === undefined ? null : this.#blobNamed(bytes, isKnown));
    return (known ?? this.#sealedBlob(bytes, this.#keys.activeId)).digest;
  }

  #sealedBlob(bytes: Uint8Array, keyId: number): KnownBlob {
    const sealed = this.#seal.seal(bytes, ['blob'], this.#keys, keyId);
    const digest = sha256(sealed);
    const blob = { name: hex(digest), digest, sealed };
    this.#blobs.set(bytes, blob);
    return blob;
  }

  async putBlob(name: string, bytes: Uint8Array): Promise<void> {
    const log = await this.#log();
    await log.putBlob(name, this.#asNamed(name, bytes));
  }

  /** It may have got its name under an older key. */
  #asNamed(name: string, bytes: Uint8Array): Uint8Array {
    const known = this.#blobs.get(bytes);
    if (known?.name === name && known.sealed !== null) return known.sealed;
    const sealed = this.#blobNamed(bytes, (each) => each === name)?.sealed;
    if (sealed === undefined || sealed === null) throw this.#damaged(`The blob ${name}`, 'is to be kept with other bytes');
    return sealed;
  }

  /** Under whichever key; null: no name is the right one. */
  #blobNamed(bytes: Uint8Array, isRight: (name: string) => boolean): KnownBlob | null {
    for (const id of [...this.#keys.ids].reverse()) {
      const blob = this.#sealedBlob(bytes, id);
      if (isRight(blob.name)) return blob;
    }
    return null;
  }

  async getBlob(name: string): Promise<Uint8Array | null> {
    const sealed = await (await this.#log()).getBlob(name);
    if (sealed === null) return null;
    const what = `The blob ${name}`;
    const digest = sha256(sealed);
    if (hex(digest) !== name) throw this.#damaged(what, 'has other bytes');
    const bytes = await this.#opened(sealed, ['blob'], what);
    this.#blobs.set(bytes, { name, digest, sealed: null });
    return bytes;
  }

  async hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    return (await this.#log()).hasBlobs(names);
  }

  async collectBlobs(collection: BlobCollection): Promise<number> {
    return (await this.#log()).collectBlobs(collection);
  }

  #log(): Promise<HubLog> {
    return (this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    }));
  }

  async #open(): Promise<HubLog> {
    const { keys, name, logOf } = this.#options;
    const opened = await keys.open();
    return logOf(`${await keys.name()} ${opened.logName(name)}`);
  }

  /** @throws HoldfastError hub-unreachable before they came from the hub */
  get #keys(): OriginKeys {
    const { known } = this.#options.keys;
    if (known === null) throw new HoldfastError('hub-unreachable', `The keys of ${this.#where} were not read from the hub yet.`);
    return known;
  }

  #sealed(bytes: Uint8Array, kind: Kind): Uint8Array {
    return this.#seal.seal(bytes, kind, this.#keys);
  }

  /** @throws HoldfastError not-encrypted, hub-incompatible, hub-damaged, key-missing: each names the place */
  async #opened(bytes: Uint8Array, kind: Kind, what: string): Promise<Uint8Array> {
    const keyId = keyIdOf(bytes);
    if (typeof keyId === 'string') throw this.#flawed(what, keyId);
    const opened = this.#seal.open(bytes, kind, await this.#keysWith(keyId, what), keyId);
    if (opened === null) throw this.#damaged(what, 'was changed, or belongs to another place, or to nobody who has the key');
    return opened;
  }

  /** Another region may have brought a new key. */
  async #keysWith(keyId: number, what: string): Promise<OriginKeys> {
    const known = this.#keys;
    const keys = known.has(keyId) ? known : await this.#options.keys.refresh();
    if (!keys.has(keyId)) throw new HoldfastError('key-missing', `${what} of ${this.#where} needs the data key ${keyId}, which is not among those that its regions share.`);
    return keys;
  }

  #flawed(what: string, flaw: Flaw): HoldfastError {
    if (flaw === 'changed') return this.#damaged(what, 'was changed');
    if (flaw === 'plain') return new HoldfastError('not-encrypted', `${what} of ${this.#where} is not encrypted, and this region encrypts: it is not used.`);
    return new HoldfastError('hub-incompatible', `${what} of ${this.#where} was written by a newer version of Holdfast; this one stops following until it is updated.`);
  }

  #damaged(what: string, why: string): HoldfastError {
    return new HoldfastError('hub-damaged', `${what} of ${this.#where} ${why}: it is not used.`);
  }

  get #where(): string {
    return `the log '${this.#options.name}' of ${this.#options.hubName}`;
  }
}
