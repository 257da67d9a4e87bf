import fs from 'node:fs';
import path from 'node:path';

/*
 * What realms do to the storage, written down by themselves: one line before each operation and one after it, each by
 * one system call, so that a kill loses at most the line that it cut. Times are nanoseconds of the machine's monotonic
 * clock, which all processes share.
 */

/** What is done to one object; see model.ts for what each means. */
export type Action =
  | { readonly do: 'set'; readonly key: string; readonly value: string }
  | { readonly do: 'get' | 'remove'; readonly key: string }
  | { readonly do: 'clear' | 'list' }
  | { readonly do: 'create' | 'look' | 'mkdir' | 'rmtree'; readonly key: string }
  | { readonly do: 'replace'; readonly key: string; readonly value: string }
  | { readonly do: 'move'; readonly key: string; readonly to: string };

/** What an operation told; null and undefined are one. */
export type Result = string | boolean | readonly string[] | null;

export type LockMode = 'exclusive' | 'shared';

export type Line =
  | { readonly t: number; readonly call: number; readonly object: string; readonly action: Action }
  | { readonly t: number; readonly done: number; readonly result: Result }
  /** It was refused, and had no effect. */
  | { readonly t: number; readonly refused: number; readonly why: string }
  /** It failed in a way that it should not; whether it had an effect is unknown. */
  | { readonly t: number; readonly failed: number; readonly why: string }
  | { readonly t: number; readonly held: number; readonly lock: string; readonly mode: LockMode }
  | { readonly t: number; readonly released: number };

/** Omits `t` of each kind of line. */
type Untimed<L> = L extends unknown ? Omit<L, 't'> : never;

export function now(): number {
  return Number(process.hrtime.bigint());
}

/** The log of one realm. */
export class HistoryLog {
  readonly #descriptor: number;
  #ids = 0;

  constructor(directory: string, realm: string) {
    this.#descriptor = fs.openSync(path.join(directory, `${realm}.log`), 'ax');
  }

  nextId(): number {
    return ++this.#ids;
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }

  write(line: Untimed<Line>): void {
    fs.writeSync(this.#descriptor, `${JSON.stringify({ t: now(), ...line })}\n`);
  }
}

/** When a process was killed, in nanoseconds: it lived until `signalled`, and not any more at `gone`. */
export interface Death {
  readonly signalled: number;
  readonly gone: number;
}

export interface Operation {
  /** `<realm>:<number>`. */
  readonly id: string;
  readonly object: string;
  readonly action: Action;
  readonly called: number;
  /** When it had returned, or its realm was dead; Infinity if neither is known. */
  readonly ended: number;
  /** Undefined if nobody was told: then it has happened or not. */
  readonly result: Result | undefined;
}

export interface HeldLock {
  readonly id: string;
  readonly lock: string;
  readonly mode: LockMode;
  readonly from: number;
  /** Whether its holder was killed. */
  readonly cut: boolean;
  /** When its holder began to release it, or was still alive; Infinity if neither is known. */
  readonly until: number;
}

export interface History {
  readonly operations: readonly Operation[];
  readonly locks: readonly HeldLock[];
  /** Failures of operations that nothing explains. */
  readonly failures: readonly string[];
  /** How many operations were refused, and had no effect. */
  readonly refused: number;
  /** How many of these because there was no room. */
  readonly full: number;
}

/** Makes one history of many realms' lines. A realm that has no death is one that ended by itself. */
export function toHistory(realms: ReadonlyMap<string, readonly Line[]>, deaths: ReadonlyMap<string, Death>): History {
  const operations: Operation[] = [];
  const locks: HeldLock[] = [];
  const failures: string[] = [];
  let refused = 0;
  let full = 0;
  for (const [realm, lines] of realms) {
    const death = deaths.get(realm);
    const calls = new Map<number, Operation>();
    const held = new Map<number, HeldLock>();
    const end = (number: number, ended: number, result: Result | undefined): void => {
      const operation = calls.get(number);
      if (operation === undefined) throw new Error(`${realm} ends operation ${number}, which it has not begun`);
      calls.delete(number);
      operations.push({ ...operation, ended, result });
    };
    for (const line of lines) {
      if ('call' in line) {
        const { call, object, action, t } = line;
        calls.set(call, { id: `${realm}:${call}`, object, action, called: t, ended: Infinity, result: undefined });
      } else if ('done' in line) {
        end(line.done, line.t, line.result);
      } else if ('refused' in line) {
        calls.delete(line.refused);
        refused++;
        if (line.why === 'QuotaExceededError') full++;
      } else if ('failed' in line) {
        failures.push(`${realm}:${line.failed} ${JSON.stringify(calls.get(line.failed)?.action)}: ${line.why}`);
        end(line.failed, line.t, undefined);
      } else if ('held' in line) {
        held.set(line.held, { id: `${realm}:${line.held}`, lock: line.lock, mode: line.mode, from: line.t, cut: false, until: Infinity });
      } else {
        const lock = held.get(line.released);
        if (lock !== undefined) locks.push({ ...lock, until: line.t });
        held.delete(line.released);
      }
    }
    for (const number of [...calls.keys()]) end(number, death?.gone ?? Infinity, undefined);
    for (const lock of held.values()) locks.push({ ...lock, cut: true, until: death?.signalled ?? Infinity });
  }
  return { operations, locks, failures, refused, full };
}

/** Reads the logs of a directory; a last line that was cut short is none. */
export function readLogs(directory: string): Map<string, Line[]> {
  const realms = new Map<string, Line[]>();
  for (const name of fs.readdirSync(directory)) {
    if (!name.endsWith('.log')) continue;
    const lines = fs.readFileSync(path.join(directory, name), 'utf8').split('\n');
    lines.pop();
    realms.set(name.slice(0, -4), lines.map((line) => JSON.parse(line) as Line));
  }
  return realms;
}
