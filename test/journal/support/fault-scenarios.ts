import fs from 'node:fs';
import { join } from 'node:path';
import type { Journal as SourceJournal, JournalOptions } from '../../../src/disk/journal/journal.ts';
import { bytes, describe, Ledger } from './ledger.ts';
import { intercepting, isSeal, shortWrite, systemError, type Interceptor, type SystemCall } from './system-calls.ts';
import type { JournalModule } from './variants.ts';

/*
 * Scenarios with faults, each a function that returns what was violated: an empty list if all is well. They take the
 * journal's module as a parameter, so that the same scenario runs on the source and on defective variants of it.
 */

interface Client {
  readonly journal: SourceJournal<number>;
  readonly ledger: Ledger;
  readonly acknowledged: string[];
  write(text: string): void;
}

function clientOf({ Journal }: JournalModule, directory: string, session: number, options?: JournalOptions): Client {
  const ledger = new Ledger();
  const journal = new Journal(directory, ledger, options);
  const acknowledged: string[] = [];
  let sequence = 0;
  const write = (text: string): void => {
    const record = { kind: 1, session, sequence: ++sequence, payload: bytes(text) };
    const place = journal.append(record.kind, session, sequence, record.payload);
    acknowledged.push(describe(record));
    if (ledger.entries[place] !== describe(record)) throw new Error(`the outcome of ${describe(record)} is that of another`);
  };
  return { journal, ledger, acknowledged, write };
}

function created({ Journal }: JournalModule, parent: string): string {
  const directory = join(parent, 'journal');
  Journal.create(directory);
  return directory;
}

/** What each of `clients`, and a newcomer, must agree on, now that no fault is left. */
function violations(module: JournalModule, directory: string, clients: Client[]): string[] {
  const found: string[] = [];
  const newcomer = clientOf(module, directory, 99);
  try {
    newcomer.write('the faults are over');
    for (const { journal } of clients) journal.catchUp();
    newcomer.journal.catchUp();
    if (!newcomer.journal.compact()) found.push('no compaction is possible');
    for (const { journal } of clients) journal.catchUp();
  } catch (error) {
    return [`the journal is unusable: ${String(error)}`];
  }
  const { entries } = newcomer.ledger;
  if (new Set(entries).size !== entries.length) found.push('a record took effect twice');
  for (const client of [...clients, newcomer]) {
    if (client.ledger.entries.join('\n') !== entries.join('\n')) found.push('two clients disagree');
    for (const record of client.acknowledged) if (!entries.includes(record)) found.push(`lost: ${record}`);
  }
  const leftovers = fs.readdirSync(join(directory, 'cand'));
  if (leftovers.length > 0) found.push(`candidates left: ${leftovers.join()}`);
  for (const { journal } of [...clients, newcomer]) journal.close();
  return found;
}

function attempt(action: () => unknown, expected: (error: Error) => boolean): string[] {
  try {
    action();
    return [];
  } catch (error) {
    return error instanceof Error && expected(error) ? [] : [`an unexpected error: ${String(error)}`];
  }
}

const isHoldfastError = (error: Error): boolean => error.name === 'HoldfastError';

/** A fault by name: `short` takes half of a write, `after` fails when the call has done its work, others are codes. */
function strike(fault: string, call: SystemCall, parameters: unknown[], proceed: (...parameters: unknown[]) => unknown): unknown {
  if (fault === 'short' && call === 'writeSync') return shortWrite(parameters, Math.floor(Number(parameters[3]) / 2), proceed);
  if (fault === 'short') return proceed(...parameters);
  // A descriptor is gone even if close() reports an error.
  if (fault === 'after' || call === 'closeSync') proceed(...parameters);
  throw systemError(fault === 'after' ? 'EIO' : fault, call);
}

/** Three writers, one of which then compacts while another one looks on. */
function prepared(module: JournalModule, parent: string): { directory: string; clients: Client[]; compactor: Client } {
  const directory = created(module, parent);
  const clients = [1, 2, 3].map((session) => clientOf(module, directory, session));
  for (const client of clients) for (let index = 0; index < 4; index++) client.write(`entry ${index}`);
  const [compactor] = clients;
  if (compactor === undefined) throw new Error('no client');
  compactor.journal.catchUp();
  return { directory, clients, compactor };
}

/** The system calls that a compaction makes, in order. */
export function callsOf(module: JournalModule, parent: string): SystemCall[] {
  const { compactor } = prepared(module, parent);
  const calls: SystemCall[] = [];
  const note: Interceptor = (call, parameters, proceed) => {
    calls.push(call);
    return proceed(...parameters);
  };
  intercepting(note, () => compactor.journal.compact());
  return calls;
}

/** A compaction in which `times` system calls fail, from the `step`th on; then another client writes, and all is checked. */
export function compactionUnderFault(module: JournalModule, parent: string, step: number, fault: string, times: number): string[] {
  const { directory, clients, compactor } = prepared(module, parent);
  let index = 0;
  const interceptor: Interceptor = (call, parameters, proceed) => {
    const struck = index >= step && index < step + times;
    index++;
    return struck ? strike(fault, call, parameters, proceed) : proceed(...parameters);
  };
  const found = attempt(() => intercepting(interceptor, () => compactor.journal.compact()), isHoldfastError);
  // Others were not concerned by the fault, and may meet the journal in whatever state it left.
  for (const client of clients) found.push(...attempt(() => client.write('afterwards'), () => false));
  return [...found, ...violations(module, directory, clients)];
}

/** An append in which the first system call of one kind fails, at every state that a client can be in. */
export function faultyAppend(module: JournalModule, parent: string, call: SystemCall, fault: string): string[] {
  const found: string[] = [];
  for (const state of ['open', 'suspended', 'sealed', 'new'] as const) {
    const { directory, clients, compactor } = prepared(module, join(parent, state));
    const client = state === 'new' ? clientOf(module, directory, 50) : clients[1];
    if (client === undefined) throw new Error('no client');
    if (state === 'suspended') client.journal.suspend();
    if (state === 'sealed') compactor.journal.compact();
    let struck = false;
    const interceptor: Interceptor = (name, parameters, proceed) => {
      if (struck || name !== call) return proceed(...parameters);
      struck = true;
      return strike(fault, name, parameters, proceed);
    };
    const record = { kind: 1, session: 77, sequence: 1, payload: bytes('under fault') };
    const append = (): unknown => client.journal.append(record.kind, record.session, record.sequence, record.payload);
    let failure: Error | null = null;
    found.push(...attempt(() => intercepting(interceptor, append), (error) => isHoldfastError((failure = error))));
    found.push(...outcomeAfter(failure, describe(record), client, append).map((violation) => `${state}: ${violation}`));
    found.push(...violations(module, directory, [...clients, client]).map((violation) => `${state}: ${violation}`));
  }
  return found;
}

/** An append that failed left no record, unless it said that this is unknown; the same append again brings one. */
function outcomeAfter(failure: Error | null, record: string, client: Client, append: () => unknown): string[] {
  const landed = (): boolean => client.ledger.entries.includes(record);
  if (failure === null) return landed() ? [] : ['an acknowledged record is not there'];
  if (!failure.message.includes('unknown')) {
    client.journal.catchUp();
    if (landed()) return ['a record is there whose append failed for certain'];
  }
  const found = attempt(append, () => false);
  return landed() ? found : [...found, 'a repeated append left no record'];
}

/** A write is cut short, and before the writer notices, another one appends. */
export function interruptedShortWrite(module: JournalModule, parent: string): string[] {
  const directory = created(module, parent);
  const [victim, other] = [clientOf(module, directory, 1), clientOf(module, directory, 2)];
  const found: string[] = [];
  for (const size of [1, 20, 43, 44, 60, 200]) {
    let struck = false;
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (struck || call !== 'writeSync') return proceed(...parameters);
      struck = true;
      const written = shortWrite(parameters, size, proceed);
      // In truth the other one is another process: it must not disturb the buffer that this realm's journals share.
      const buffer = parameters[1] as Uint8Array;
      const copy = buffer.slice();
      other.write(`in between, after ${size} bytes`);
      buffer.set(copy);
      return written;
    };
    victim.journal.open();
    found.push(...attempt(() => intercepting(interceptor, () => victim.write('long enough. '.repeat(30))), () => false));
  }
  return [...found, ...violations(module, directory, [victim, other])];
}

/**
 * A writer cannot learn whether its record landed (it did), others compact, and a second writer of the same session
 * and sequence, as the first one's retry is, reaches the successor.
 */
export function forgottenRetry(module: JournalModule, parent: string): string[] {
  const directory = created(module, parent);
  const [victim, other] = [clientOf(module, directory, 1), clientOf(module, directory, 2)];
  victim.write('before');
  let reads = 0;
  const interceptor: Interceptor = (call, parameters, proceed) => {
    if (call === 'readSync' && reads++ < 2) throw systemError('EIO', call);
    return proceed(...parameters);
  };
  const append = (): unknown => victim.journal.append(1, 1, 2, bytes('in doubt'));
  const found = attempt(() => intercepting(interceptor, append), (error) => error.message.includes('unknown'));
  victim.journal.suspend();
  for (let round = 0; round < 2; round++) {
    other.write(`round ${round}`);
    other.journal.compact();
  }
  // Its own generation is gone, so that the snapshot alone tells that the record is in.
  found.push(...attempt(append, (error) => error.message.includes('already')));
  return [...found, ...violations(module, directory, [victim, other])];
}

/** A client is suspended while three generations come and go. */
export function deepSleep(module: JournalModule, parent: string): string[] {
  const { directory, clients, compactor } = prepared(module, parent);
  for (const { journal } of clients) if (journal !== compactor.journal) journal.suspend();
  for (let round = 0; round < 3; round++) {
    compactor.write(`round ${round}`);
    compactor.journal.compact();
  }
  const found: string[] = [];
  for (const client of clients) found.push(...attempt(() => client.write('awake'), () => false));
  const numbers = fs.readdirSync(directory).filter((name) => name !== 'cand');
  if (numbers.join() !== '3') found.push(`generations: ${numbers.join()}`);
  return [...found, ...violations(module, directory, clients)];
}

/** Between the writing of a candidate and its SEAL, another client appends; more than once. */
export function lateSeal(module: JournalModule, parent: string): string[] {
  const { directory, clients, compactor } = prepared(module, parent);
  const other = clientOf(module, directory, 60);
  other.journal.catchUp();
  let seals = 0;
  const interceptor: Interceptor = (call, parameters, proceed) => {
    if (isSeal(call, parameters) && seals++ < 3) other.write(`in between ${seals}`);
    return proceed(...parameters);
  };
  const found = attempt(() => intercepting(interceptor, () => compactor.journal.compact()), () => false);
  return [...found, ...violations(module, directory, [...clients, other])];
}

/** A writer dies one byte before the end of its record; then another one appends. Once in a while their bytes fit. */
export function lastByteMissing(module: JournalModule, parent: string): string[] {
  const found: string[] = [];
  for (let round = 0; round < 400; round++) {
    const directory = created(module, join(parent, String(round)));
    const [victim, other] = [clientOf(module, directory, 1), clientOf(module, directory, 2)];
    let dead = false;
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (dead) throw systemError('EIO', call);
      if (call !== 'writeSync') return proceed(...parameters);
      dead = true;
      return shortWrite(parameters, Number(parameters[3]) - 1, proceed);
    };
    found.push(...attempt(() => intercepting(interceptor, () => victim.write('nearly there')), isHoldfastError));
    for (const text of ['one', 'two']) found.push(...attempt(() => other.write(text), () => false));
    if (other.ledger.entries.length !== 2) found.push(`${other.ledger.entries.length} records instead of 2`);
    for (const { journal } of [victim, other]) journal.close();
  }
  return found;
}
