/** What one realm is told; it crosses a process or thread boundary, so it is plain data. */
export interface RealmConfig {
  readonly kind: 'window' | 'worker';
  /** Whether the test is written for a page, with a document and other windows. */
  readonly page: boolean;
  /** The URL of the page or of the worker's script. */
  readonly href: string;
  /** URLs of the classic scripts to run, in order; an .html file is one entry and its scripts are taken from it. */
  readonly scripts: readonly string[];
  readonly title: string | null;
  /** Whether workers and frames that the test makes get processes of their own, rather than threads and clients. */
  readonly processes: boolean;
  /** Whether this realm was made by another one, so that it has no result of its own. */
  readonly peer: boolean;
  /** Milliseconds until the harness is told to give up. */
  readonly timeout: number;
  /** Whether Holdfast is installed; without it no feature subtest may pass. */
  readonly product: boolean;
  /** Whether all of it is encrypted; without a product it means nothing. */
  readonly encrypted: boolean;
  /** The folder of Holdfast's data. */
  readonly root: string;
  readonly folders: Folders;
  /** The origin of the tests' server, as it is reached here. */
  readonly server: string;
}

/** Where URL paths lead: /ours/ to our own tests, /examples/ to the examples, everything else to the checkout. */
export interface Folders {
  readonly checkout: string;
  readonly ours: string;
  readonly examples: string;
}

export type SubtestStatus = 'PASS' | 'FAIL' | 'TIMEOUT' | 'NOTRUN' | 'PRECONDITION_FAILED';
export type HarnessStatus = 'OK' | 'ERROR' | 'TIMEOUT' | 'PRECONDITION_FAILED' | 'CRASH';

export interface Subtest {
  readonly name: string;
  readonly status: SubtestStatus;
  readonly message: string | null;
}

/** What a realm tells the runner: when its time begins, each subtest as it ends, so that a crash loses nothing, and then the whole. */
export type Report =
  | { readonly type: 'started' }
  | { readonly type: 'subtest'; readonly subtest: Subtest }
  | { readonly type: 'complete'; readonly harness: HarnessStatus; readonly message: string | null; readonly subtests: readonly Subtest[] };
