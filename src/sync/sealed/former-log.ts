import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { ByteReader } from '../../disk/replica/byte-reader.ts';
import { DIGEST_BYTES } from '../../disk/replica/snapshot.ts';
import { randomUuid } from '../../runtime/random.ts';
import type { HubLog } from '../hub.ts';
import { hex } from '../replicator/digest.ts';

/*
 * What a log has to know of the plain one that it goes on from: a log of its own, which only grows. docs/FORMAT.md,
 * "From a plain log".
 *
 *   PLACE  epoch, position   the first that comes counts
 *   NAMES  any number of: the name of a blob there, its name here
 */
const PLACE = 1;
const NAMES = 2;

const AT_ONCE = 256;

/** Where a plain log ended, as everybody who knows the keys sees it. */
export interface FormerPlace {
  readonly epoch: string;
  /** Of the entry that ended it. */
  readonly position: number;
}

/** What a blob was called in the plain log, and what it is called now; in hexadecimal. */
export interface Renamed {
  readonly plain: string;
  readonly sealed: string;
}

/** What is known of the plain log that an encrypted one goes on from, as of the last time that anybody looked. */
export class FormerLog {
  readonly #log: Pick<HubLog, 'read' | 'append'>;
  readonly #sealed = new Map<string, string>();
  readonly #plain = new Map<string, string>();
  #place: FormerPlace | null = null;
  #position = 0;

  /** Does no I/O. `log`: one of which the hub sees nothing. */
  constructor(log: Pick<HubLog, 'read' | 'append'>) {
    this.#log = log;
  }

  /** Null: there is none. */
  get place(): FormerPlace | null {
    return this.#place;
  }

  /** What a blob is called that had this name; undefined: nobody has brought it. */
  sealedOf(plain: string): string | undefined {
    return this.#sealed.get(plain);
  }

  plainOf(sealed: string): string | undefined {
    return this.#plain.get(sealed);
  }

  get hasNames(): boolean {
    return this.#sealed.size > 0;
  }

  /** To ask makes nothing in the hub. @throws HoldfastError as hubs do */
  async refresh(): Promise<void> {
    for (;;) {
      const entries = await this.#log.read(this.#position, AT_ONCE);
      if (entries.length === 0) return;
      for (const { position, bytes } of entries) {
        this.#apply(new ByteReader(bytes));
        this.#position = Math.max(this.#position, position);
      }
    }
  }

  #apply(reader: ByteReader): void {
    const kind = reader.byte();
    if (kind === PLACE) {
      const place = { epoch: reader.text(), position: reader.integer() };
      this.#place ??= place;
    }
    while (kind === NAMES && !reader.atEnd) {
      const [plain, sealed] = [hex(reader.take(DIGEST_BYTES)), hex(reader.take(DIGEST_BYTES))];
      this.#sealed.set(plain, sealed);
      this.#plain.set(sealed, plain);
    }
  }

  async notePlace({ epoch, position }: FormerPlace): Promise<void> {
    await this.#append(new ByteWriter().byte(PLACE).text(epoch).integer(position));
  }

  async noteNames(names: readonly Renamed[]): Promise<void> {
    const writer = new ByteWriter().byte(NAMES);
    for (const { plain, sealed } of names) writer.raw(Buffer.from(plain, 'hex')).raw(Buffer.from(sealed, 'hex'));
    if (names.length > 0) await this.#append(writer);
  }

  /** What counts is what the hub has made of it. */
  async #append(writer: ByteWriter): Promise<void> {
    await this.#log.append([{ id: randomUuid(), bytes: writer.finish() }]);
    await this.refresh();
  }
}
