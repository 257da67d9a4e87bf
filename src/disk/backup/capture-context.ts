import type { CacheMachine } from '../caches/machine.ts';
import type { PlaceKeys } from '../place.ts';
import type { DatabaseCode } from './database-part.ts';
import { unlockedVault } from '../root/encrypted.ts';
import type { Root } from '../root/root.ts';
import { KEYS } from '../root/origin-vault.ts';
import type { Draft } from './draft.ts';
import { keptOf, type FileFacts } from './file-facts.ts';
import type { ListedFile } from './listing.ts';
import type { Taken } from './taken.ts';
import { TreeWalk } from './tree-walk.ts';

/** Code that not every origin needs, loaded when it does. */
export interface CaptureCode {
  createCacheMachine(): Promise<CacheMachine>;
  databases(): Promise<DatabaseCode>;
}

/** What the backup before has of an origin. */
export interface Previous {
  readonly files: ReadonlyMap<string, ListedFile>;
  readonly marks: ReadonlyMap<string, string>;
}

/** The keys of an encrypted origin as one of its buckets uses them, by its path in the origin's directory. */
export type KeysOfPlaces = (relative: string) => PlaceKeys;

/**
 * Undefined: the origin is not encrypted.
 *
 * @throws HoldfastError key-missing, key-wrong, key-pending, keys-damaged
 */
export async function keysOfPlaces(root: Root, directory: string, origin: string): Promise<KeysOfPlaces | undefined> {
  const vault = await unlockedVault(root, directory, origin, 'nobody can see who changes its files');
  return vault && ((relative) => vault.place(relative));
}

/** What one attempt at an origin works with. */
export class CaptureContext {
  readonly code: CaptureCode;
  readonly previous: Previous;
  readonly draft: Draft;
  readonly taken: Taken;
  readonly foldsNames: boolean;
  /** When it began, in milliseconds since 1970. */
  readonly now: number;
  /** Undefined: it is not encrypted. */
  readonly keysOf: KeysOfPlaces | undefined;
  /** What the file of its keys was when it was begun. */
  readonly keys: FileFacts | null;

  constructor(context: Pick<CaptureContext, 'code' | 'previous' | 'draft' | 'taken' | 'foldsNames' | 'now' | 'keysOf' | 'keys'>) {
    this.code = context.code;
    this.previous = context.previous;
    this.draft = context.draft;
    this.taken = context.taken;
    this.foldsNames = context.foldsNames;
    this.now = context.now;
    this.keysOf = context.keysOf;
    this.keys = context.keys;
  }

  /** Whether the origin's keys are those that the backup before has. */
  get areKeysKept(): boolean {
    return this.keys !== null && keptOf(this.previous.files.get(KEYS), this.keys) !== null;
  }

  /** `except`: files to leave alone, by their paths on the disk. */
  walk(except: ReadonlySet<string> = new Set()): TreeWalk {
    const { previous, draft, now, taken } = this;
    return new TreeWalk({ previous: (each) => previous.files.get(each), draft, except, now }, taken);
  }

  /** Takes all that the backup before has below a directory, which is as it was. */
  keepBelow(relative: string): void {
    for (const [path, kept] of this.previous.files) if (path.startsWith(`${relative}/`)) this.taken.files.push({ path, kept });
  }
}
