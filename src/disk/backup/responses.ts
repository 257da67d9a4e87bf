import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import type { JournalEncryption } from '../journal/journal-cipher.ts';
import { sessionOfResponse } from '../spelling.ts';
import { inspect } from '../verify/generation.ts';
import type { CaptureContext } from './capture-context.ts';
import { isDirectoryAt, namesIn } from './entries.ts';
import { areSame, factsOf, isFresh } from './file-facts.ts';
import type { ListedFile } from './listing.ts';
import type { JournalPart } from './journal-part.ts';
import { Moved } from './part.ts';

/**
 * The responses of a bucket's caches. Each is there before the record that names it and its content is never changed, but goes
 * soon after one that replaces it: so those that are there get a second name right before the moment, and right after it, and
 * then what the index named at the moment is among them.
 */
export class ResponseCapture {
  readonly #directory: string;
  readonly #relative: string;
  readonly #index: JournalPart;
  readonly #encryption: JournalEncryption | undefined;
  readonly #context: CaptureContext;
  readonly #linked = new Map<string, string>();

  /** `encryption`: of the index. */
  constructor(bucket: string, relative: string, index: JournalPart, context: CaptureContext, encryption: JournalEncryption | undefined) {
    this.#encryption = encryption;
    this.#directory = path.join(bucket, 'caches/responses');
    this.#relative = `${relative}/caches/responses`;
    this.#index = index;
    this.#context = context;
  }

  /** Gives those a second name that the backup before does not have. Where the index is as it was, they all are. */
  link(): void {
    // One that is encrypted may get another key without a record.
    if (this.#index.isKept && this.#encryption === undefined) return;
    const { draft } = this.#context;
    for (const name of namesIn(this.#directory)) {
      if (this.#linked.has(name) || sessionOfResponse(name) === null || this.#keptOf(name) !== null) continue;
      try {
        this.#linked.set(name, draft.link(path.join(this.#directory, name)));
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw error;
      }
    }
  }

  /** Takes those that the index names, as it was taken. @throws Moved where one has come and gone in between */
  async take(): Promise<void> {
    const { taken } = this.#context;
    if (isDirectoryAt(this.#directory)) taken.directories.push(this.#relative);
    if (this.#index.isKept && this.#encryption === undefined) return this.#context.keepBelow(this.#relative);
    for (const name of this.#index.isKept ? this.#namedBefore() : await this.#named()) {
      const kept = this.#keptOf(name);
      if (kept !== null) taken.files.push({ path: kept.path, kept });
      else this.#takeLinked(name);
    }
  }

  /** What the backup before has of one, if that is what it is now; also where it is not there any more. */
  #keptOf(name: string): ListedFile | null {
    const kept = this.#context.previous.files.get(`${this.#relative}/${name}`);
    if (kept === undefined || this.#encryption === undefined) return kept ?? null;
    const facts = factsOf(path.join(this.#directory, name));
    return facts === null || areSame(kept, facts) ? kept : null;
  }

  /** The index is as it was, and names what it named. */
  #namedBefore(): string[] {
    const below = `${this.#relative}/`;
    return [...this.#context.previous.files.keys()].filter((each) => each.startsWith(below)).map((each) => each.slice(below.length));
  }

  #takeLinked(name: string): void {
    const { taken, now } = this.#context;
    const content = this.#linked.get(name);
    const facts = content === undefined ? null : factsOf(content);
    // One that was gone before counts as none there, and does so in the backup.
    if (content === undefined || facts === null) throw new Moved(path.join(this.#directory, name));
    taken.files.push({ path: `${this.#relative}/${name}`, kept: null, facts, isStub: false, isFresh: isFresh(facts, now), content });
  }

  /** The files that are named by the index at the moment. */
  async #named(): Promise<string[]> {
    const { taken, draft, code } = this.#context;
    const journal = taken.files.find((each) => each.path === `${this.#index.relative}/${this.#index.generation}`);
    if (journal === undefined || journal.kept !== null) throw new Moved(this.#index.directory);
    const copy = draft.next();
    fs.writeFileSync(copy, journal.content, { mode: 0o600 });
    const machine = await code.createCacheMachine();
    inspect(this.#index.directory, this.#index.generation, machine, copy, this.#encryption);
    return [...machine.caches.values()].flatMap((cache) => Array.from(cache, ({ file }) => file));
  }
}
