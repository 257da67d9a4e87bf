import type { HarnessStatus } from '../realm/config.ts';
import type { Variant } from '../runner/discover.ts';

/** Why a file cannot run on a server at all, or a subtest cannot: it needs what only a browser has. */
export const scopeReasons = {
  document: 'needs a document: elements, parsing or layout',
  frames: 'needs frames',
  popups: 'needs windows opened by a window',
  session: 'needs frames or windows that share one sessionStorage',
  'service-worker': 'needs a service worker',
  'shared-worker': 'needs a shared worker',
  navigation: 'needs navigation and the back/forward cache',
  partitioning: 'needs third-party partitioning',
  'opaque-origin': 'needs a sandboxed document',
  'insecure-context': 'needs an insecure context, which a server has not',
  picker: 'needs a file picker',
  'local-files': 'needs files picked by a person',
  permissions: 'needs the Permissions API',
  manual: 'needs a person',
} as const;
export type ScopeReason = keyof typeof scopeReasons;

/** What is not built yet. */
export const laterReasons = {
  indexeddb: 'IndexedDB is not built yet',
} as const;
export type LaterReason = keyof typeof laterReasons;

/** Why a subtest that is in reach fails and will go on failing. */
export const failureReasons = {
  'broken-test': 'the test itself is wrong in this snapshot',
  'outdated-test': 'the test is older than the standard of today',
  contradiction: 'the standard, or another test, says the opposite',
  node: 'Node itself does not do what the test wants',
  bug: 'a bug of ours that an issue describes',
  encrypted: 'it ends otherwise in an encrypted origin, as docs/DEVIATIONS.md says',
} as const;
export type FailureReason = keyof typeof failureReasons;

/** Why a browser fails one of our own tests. */
export const browserReasons = {
  'browser-bug': 'the browser does not do what the standard says',
  'not-shipped': 'the browser has not got the feature, or only behind a flag',
} as const;
export type BrowserReason = keyof typeof browserReasons;

export type Reason = ScopeReason | LaterReason | FailureReason;

/** Subtests that do not pass, for one reason. */
export interface Exception<Why = Reason> {
  readonly reason: Why;
  /** What exactly, in a sentence; for a bug, the issue. */
  readonly note: string;
  readonly subtests: readonly string[];
  /** Only in these variants; in all by default. */
  readonly variants?: readonly Variant[];
  /** Only from this major version of Node on; in all by default. */
  readonly sinceNode?: number;
  /** Only before this major version of Node; in all by default. */
  readonly beforeNode?: number;
}

/** A harness status other than OK that is expected, and why. */
export interface HarnessException<Why = Reason> {
  readonly status: Exclude<HarnessStatus, 'OK'>;
  readonly reason: Why;
  readonly note: string;
  readonly beforeNode?: number;
  readonly variants?: readonly Variant[];
}

/** A file that is run. */
export interface RunEntry<Why = Reason> {
  readonly run: true;
  readonly harness?: HarnessException<Why>;
  readonly except?: readonly Exception<Why>[];
}

/** A file that is not run. */
export interface LeftOutEntry {
  readonly run: false;
  readonly reason: Reason;
  readonly note?: string;
}

export type Entry = RunEntry | LeftOutEntry;

/** Every test file of one suite, by its path in the checkout. */
export type SuiteRecord = Readonly<Record<string, Entry>>;

export function isScope(reason: Reason): reason is ScopeReason {
  return reason in scopeReasons;
}

export function describe(reason: Reason): string {
  return { ...scopeReasons, ...laterReasons, ...failureReasons }[reason];
}

export function isKnownReason(reason: string): reason is Reason {
  return reason in scopeReasons || reason in laterReasons || reason in failureReasons;
}

/** The exception that covers a subtest in a variant. */
export function exceptionFor<Why>(entry: RunEntry<Why> | LeftOutEntry, variant: Variant, subtest: string): Exception<Why> | undefined {
  if (!entry.run) return undefined;
  return entry.except?.find((exception) => exception.subtests.includes(subtest) && (exception.variants?.includes(variant) ?? true) && appliesHere(exception));
}

const nodeVersion = Number(process.versions.node.split('.')[0]);

/** Whether an exception is one for the Node that runs this. */
export function appliesHere({ sinceNode = 0, beforeNode = Infinity }: Pick<Exception, 'sinceNode' | 'beforeNode'>): boolean {
  return sinceNode <= nodeVersion && nodeVersion < beforeNode;
}

export function harnessExceptionFor<Why>(entry: RunEntry<Why> | LeftOutEntry, variant: Variant): HarnessException<Why> | undefined {
  if (!entry.run || entry.harness === undefined || !appliesHere(entry.harness)) return undefined;
  return entry.harness.variants?.includes(variant) === false ? undefined : entry.harness;
}
