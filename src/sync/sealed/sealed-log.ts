import type { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { BlobCollection, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from '../hub.ts';
import { NO_CHAIN } from '../../disk/replica/chain.ts';
import { hex, isSameDigest, sha256 } from '../replicator/digest.ts';
import type { GoesOn, NamesBlobs } from '../replicator/digest.ts';
import { Wire } from '../replicator/wire.ts';
import type { FormerLog, Renamed } from './former-log.ts';
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
  /** What it goes on from, if it may go on from anything. */
  readonly former?: FormerLog;
}

/** Nobody's entry, with no operations: what a log begins with that goes on from a plain one. */
export const BEGINNING: Uint8Array = new Wire({ maxEntryBytes: 2 ** 16, maxBlobBytes: 2 ** 16 }, '').encode(
  { incarnation: '00000000-0000-7000-8000-000000000000', region: '', first: 1, previous: NO_CHAIN, operations: [] },
  { position: 0, digest: new Uint8Array(0) },
).bytes;

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
 * - nothing plain is ever given to the hub behind it;
 * - blobs of a plain log that it goes on from keep the names that they had there, for whoever asks.
 */
export class SealedLog implements HubLog, NamesBlobs, GoesOn {
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
    return log.append(entries.map(({ id, bytes }) => ({ id, bytes: this.#sealed(withWitness(witness, bytes), ['entry']) })), blobs?.map((name) => this.#sealedName(name)));
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
    // It is followed from the snapshot on that stands for what was before.
    if (position === 1 && isSameDigest(content, BEGINNING)) throw new HoldfastError('hub-unreachable', `${this.#where} is being encrypted; this region follows when that has ended.`);
    return { position, bytes: content };
  }

  /** Whether it begins as one that goes on from a plain one. */
  async isBegun(): Promise<boolean> {
    const [first] = await (await this.#log()).read(0, 1);
    return first !== undefined && isSameDigest(splitWitness(await this.#opened(first.bytes, ['entry'], 'Entry 1')).bytes, BEGINNING);
  }

  async follows(epoch: string): Promise<boolean> {
    await this.#log();
    return this.#options.former?.place?.epoch === epoch;
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
    const known = this.#blobs.get(bytes);
    if (known !== undefined) return known.digest;
    // What had a name in the plain log keeps it, or equal files would not be equal.
    const plain = this.#options.former?.hasNames === true ? sha256(bytes) : null;
    if (plain !== null && this.#sealedName(hex(plain)) !== hex(plain)) return plain;
    return ((isKnown === undefined ? null : this.#blobNamed(bytes, isKnown)) ?? this.#sealedBlob(bytes, this.#keys.activeId)).digest;
  }

  #sealedName(name: string): string {
    return this.#options.former?.sealedOf(name) ?? name;
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
    const sealed = this.#sealedName(name);
    if (this.#options.former !== undefined && sealed === name && hex(sha256(bytes)) === name) await this.#options.former.noteNames([await this.#renamed(name, bytes)]);
    else await log.putBlob(sealed, this.#asNamed(sealed, bytes));
  }

  async #renamed(plain: string, bytes: Uint8Array): Promise<Renamed> {
    return { plain, sealed: await this.putSealed(bytes) };
  }

  /** Under the name that it has here; which is what it resolves to. */
  async putSealed(bytes: Uint8Array): Promise<string> {
    const log = await this.#log();
    const { name, sealed } = this.#sealedBlob(bytes, this.#keys.activeId);
    await log.putBlob(name, sealed ?? new Uint8Array(0));
    return name;
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
    const log = await this.#log();
    const sealed = (await log.getBlob(this.#sealedName(name))) ?? (await this.#lately(log, name));
    if (sealed === null) return null;
    const what = `The blob ${name}`;
    const bytes = await this.#opened(sealed, ['blob'], what);
    const digest = sha256(this.#sealedName(name) === name ? sealed : bytes);
    if (hex(digest) !== name) throw this.#damaged(what, 'has other bytes');
    this.#blobs.set(bytes, { name, digest, sealed: null });
    return bytes;
  }

  /** Another region may have brought it since. */
  async #lately(log: HubLog, name: string): Promise<Uint8Array | null> {
    const { former } = this.#options;
    if (former === undefined || former.sealedOf(name) !== undefined) return null;
    await former.refresh();
    return former.sealedOf(name) === undefined ? null : log.getBlob(this.#sealedName(name));
  }

  async hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    const there = await (await this.#log()).hasBlobs(names.map((name) => this.#sealedName(name)));
    return new Set(names.filter((name) => there.has(this.#sealedName(name))));
  }

  async collectBlobs(collection: BlobCollection): Promise<number> {
    const { former } = this.#options;
    await former?.refresh();
    const isNamed = (name: string): boolean => collection.isNamed(name) || collection.isNamed(former?.plainOf(name) ?? name);
    return (await this.#log()).collectBlobs({ ...collection, isNamed });
  }

  #log(): Promise<HubLog> {
    return (this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null;
      throw error;
    }));
  }

  async #open(): Promise<HubLog> {
    const { keys, name, logOf, former } = this.#options;
    const opened = await keys.open();
    await former?.refresh();
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
