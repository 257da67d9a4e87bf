import type { CacheMachine } from '../caches/machine.ts';
import type { DatabaseCode } from './database-part.ts';
import type { Draft } from './draft.ts';
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

/** What one attempt at an origin works with. */
export class CaptureContext {
  readonly code: CaptureCode;
  readonly previous: Previous;
  readonly draft: Draft;
  readonly taken: Taken;
  readonly foldsNames: boolean;
  /** When it began, in milliseconds since 1970. */
  readonly now: number;

  constructor(context: Pick<CaptureContext, 'code' | 'previous' | 'draft' | 'taken' | 'foldsNames' | 'now'>) {
    this.code = context.code;
    this.previous = context.previous;
    this.draft = context.draft;
    this.taken = context.taken;
    this.foldsNames = context.foldsNames;
    this.now = context.now;
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
