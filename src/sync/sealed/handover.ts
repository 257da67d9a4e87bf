import { ByteReader } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { ClientTable } from '../../disk/replica/client-table.ts';
import { readBase, writeBase } from '../../disk/replica/snapshot.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import type { Follower } from '../connection.ts';
import { inParallel } from '../files/in-parallel.ts';
import type { HubLog } from '../hub.ts';
import { PastHub } from '../past-hub.ts';
import { buildBase } from '../replicator/bootstrap.ts';
import { hex, isSameDigest, sha256 } from '../replicator/digest.ts';
import { checkedHead } from '../replicator/follower.ts';
import { Line } from '../replicator/line.ts';
import { Slices } from '../replicator/slices.ts';
import { seal } from '../replicator/snapshot-seal.ts';
import { systemSurroundings } from '../replicator/surroundings.ts';
import { isSealed } from '../sealed-version.ts';
import type { FormerLog, FormerPlace, Renamed } from './former-log.ts';
import { BEGINNING, type SealedLog } from './sealed-log.ts';

/** What ends a plain log: it says nothing, but that whoever wrote it has the keys. */
const END = new Uint8Array([0]);

const AT_ONCE = 256;

/** Blobs that are brought together, and how many of them at a time. */
const BATCH = 64;
const BLOBS_AT_ONCE = 4;

export interface HandoverOptions {
  readonly follower: Follower;
  /** As it was without encryption. */
  readonly plain: HubLog;
  /** The same, of which what is encrypted is read and written. */
  readonly ends: HubLog;
  readonly sealed: SealedLog;
  readonly former: FormerLog;
  /** As `Connection.bring`. */
  readonly goOn: () => void;
}

/**
 * Has an encrypted log go on from the plain one of the same name. Whoever is killed is followed by whoever comes next,
 * several may do it at once, and all of them find the same. Invariants:
 * - the plain log ends with its first encrypted entry: regions without the key stop before it (`key-missing`), so what
 *   they have written since is pending there, and none of it was ever confirmed;
 * - the encrypted log begins with an entry that says nothing and a snapshot that stands for all of the plain one, its
 *   incarnations included: so what is pending anywhere is sent once, and under the numbers that it has;
 * - whoever finds the encrypted log without that snapshot follows nothing of it;
 * - nothing leaves the plain log before all of it is in the encrypted one.
 */
export class Handover {
  readonly #options: HandoverOptions;

  /** Does no I/O. */
  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /** @throws HoldfastError as hubs do; not-encrypted where this replica is of a plain log that is not that one */
  async run(): Promise<void> {
    const { plain, ends, sealed, former } = this.#options;
    if (!(await hasEntries(plain))) return;
    await former.refresh();
    const { epoch, position, first } = await sealed.head();
    if (position > 0 && former.place === null) return this.#requireOther();
    if (first === 1) await this.#begin(epoch);
    await this.#bring(this.#ownNames(), false);
    await purge(plain, ends);
  }

  /**
   * For regions that encrypt nothing from before: a root that follows the plain log still has to be kept from adding what
   * it has to another order.
   */
  async requireOwn(): Promise<void> {
    const { follower: { journal }, plain, sealed, former } = this.#options;
    const { epoch } = journal.current();
    if (epoch === '' || (await sealed.head()).epoch === epoch || former.place?.epoch === epoch) return;
    if (await hasEntries(plain)) await this.#requireOther();
  }

  /** Regions with a key have an order of their own, which knows nothing of this replica's. */
  async #requireOther(): Promise<void> {
    const { follower: { name, journal }, plain } = this.#options;
    if ((await plain.head()).epoch !== journal.current().epoch) return;
    throw new HoldfastError('not-encrypted', `The hub has the log '${name}' not encrypted, which this root follows, and no encrypted one goes on from it. Give a region encryption.plain 'migrate', or, if there is another order that is encrypted, remove one of them.`);
  }

  async #begin(epoch: string): Promise<void> {
    const { follower, former, sealed } = this.#options;
    const place = former.place ?? (await this.#end());
    const clients = new ClientTable();
    const model = follower.model();
    readBase(new ByteReader(await this.#lastBase(place)), clients, model);
    if (former.place === null) await former.notePlace(place);
    if ((await sealed.head()).position === 0) await sealed.append([{ id: randomUuid(), bytes: BEGINNING }]);
    if (!(await sealed.isBegun())) throw new HoldfastError('not-encrypted', `The log '${follower.name}' of the hub was to be encrypted, and a region that does not know of it has begun another one.`);
    await this.#bring(follower.references?.ofModel(model) ?? [], true);
    clients.restart();
    const base = new ByteWriter();
    writeBase(base, { epoch, position: 1, digest: sha256(BEGINNING) }, clients, model);
    await sealed.putSnapshot({ position: 1, bytes: seal(base.finish()) });
    await sealed.trim(1);
  }

  /** Ends the plain log, if nobody has. */
  async #end(): Promise<FormerPlace> {
    const { plain, ends, follower } = this.#options;
    const { epoch, first } = await plain.head();
    let position = await this.#firstSealed(first);
    if (position === null) {
      await ends.append([{ id: randomUuid(), bytes: END }]);
      position = await this.#firstSealed(first);
    }
    const [end] = position === null ? [] : await ends.read(position - 1, 1);
    if (position === null || end === undefined || !isSameDigest(end.bytes, END)) throw new HoldfastError('hub-damaged', `What ends the log '${follower.name}' of the hub is of nobody who has the key.`);
    return { epoch, position };
  }

  async #firstSealed(first: number): Promise<number | null> {
    for (let after = first - 1; ; ) {
      this.#options.goOn();
      const entries = await this.#options.plain.read(after, AT_ONCE);
      const found = entries.find(({ bytes }) => isSealed(bytes));
      if (found !== undefined || entries.length === 0) return found?.position ?? null;
      after += entries.length;
    }
  }

  /** What the plain log has made of everything before its end. */
  async #lastBase({ epoch, position }: FormerPlace): Promise<Uint8Array> {
    const { follower, plain } = this.#options;
    const { name } = follower;
    const hub = { name, connect: () => Promise.reject(new Error('it is connected')), log: () => plain };
    const log = new PastHub(hub, new Map([[name, { log: plain, last: position - 1 }]]), new Set()).log(name);
    const head = checkedHead(await log.head());
    if (head.epoch !== epoch) throw new HoldfastError('hub-damaged', `The log '${name}' of the hub became another one while it was encrypted.`);
    const line = new Line(systemSurroundings);
    const probe = follower.model();
    const unpacking = { log, line, knows: (kind: number) => probe.knows(kind), recall: () => null, check: () => this.#options.goOn() };
    return (await buildBase(head, { log, line, unpacking, slices: new Slices(systemSurroundings), model: () => follower.model() })).bytes;
  }

  *#ownNames(): Generator<string> {
    const { journal, references } = this.#options.follower;
    for (const { operation } of journal.current().pending) yield* references?.ofOperation(operation) ?? [];
  }

  /** `isNamed`: nothing else will say of these that they are needed. What the plain log does not have stays missing. */
  async #bring(names: Iterable<string>, isNamed: boolean): Promise<void> {
    const { former, sealed } = this.#options;
    const missing = [...new Set(names)].filter((name) => former.sealedOf(name) === undefined);
    for (let at = 0; at < missing.length; at += BATCH) {
      const renamed: Renamed[] = [];
      await inParallel(missing.slice(at, at + BATCH), BLOBS_AT_ONCE, async (name) => {
        const brought = await this.#bringOne(name);
        if (brought !== null) renamed.push(brought);
      });
      if (isNamed) await sealed.append([{ id: randomUuid(), bytes: BEGINNING }], renamed.map((each) => each.sealed));
      await former.noteNames(renamed);
    }
  }

  async #bringOne(name: string): Promise<Renamed | null> {
    const { plain, sealed, goOn } = this.#options;
    goOn();
    const bytes = await plain.getBlob(name);
    return bytes === null || hex(sha256(bytes)) !== name ? null : { plain: name, sealed: await sealed.putSealed(bytes) };
  }
}

/** To ask makes nothing in the hub. */
export async function hasEntries(log: HubLog): Promise<boolean> {
  try {
    return (await log.read(0, 1)).length > 0;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hub-trimmed') return true;
    throw error;
  }
}

/** Has the hub forget all of a plain log, but that it has ended; also what regions without the key have put since. */
async function purge(plain: HubLog, ends: HubLog): Promise<void> {
  const { epoch, position, first } = await plain.head();
  if (first <= position) {
    await ends.putSnapshot({ position, bytes: END });
    await plain.trim(position);
  }
  await plain.collectBlobs({ epoch, first: position + 1, position, isNamed: () => false, unusedFor: 0 });
}

/** The same for one of which nothing is kept. */
export async function purgeIfThere(plain: HubLog, ends: HubLog): Promise<void> {
  if (await hasEntries(plain)) await purge(plain, ends);
}
