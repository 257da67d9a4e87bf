import { type ChildProcess, fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import '../../src/host/transaction/provided.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bundleFixture } from '../support/bundle.ts';
import { ORIGIN, type Reminder } from './takeover-fixture.ts';

/** Of the coordinators that the process has which is killed: those that are called, and those whose alarms are due then. */
const CALLED = 2000;
const DUE = 1000;

/** Calls that are under way at once, and when the alarms are due from when they are set, in milliseconds: after the kill. */
const AT_ONCE = 64;
const DUE_AFTER_MS = 15_000;

export interface TakeoverTally {
  /** Milliseconds from the kill until the first answer, and of single calls. */
  readonly first: number;
  readonly median: number;
  readonly p99: number;
  readonly longest: number;
  /** The same of calls of coordinators that nobody had. */
  readonly resting: { readonly median: number; readonly p99: number };
  /** Alarms of the killed process that another one has run, and how late the last was, in milliseconds. */
  readonly alarms: number;
  readonly latest: number;
  readonly wrong: string[];
}

interface Said {
  readonly ready?: true;
  readonly done?: true;
  readonly made?: number;
  readonly woken?: string;
  readonly at?: number;
}

/** So many coordinators on disk: one process has thousands of them and is killed; another takes over what is called, and the alarms. */
export async function takeover({ count, onProgress }: { count: number; onProgress: (made: number) => void }): Promise<TakeoverTally> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-takeover-'));
  const root = path.join(directory, 'root');
  const host = new StorageHost({ root });
  const caller = new Coordinators(host, {}, { patience: 60_000 } as object);
  const owner = await serve(root);
  const later = Date.now() + 3e11;
  await told(owner, { from: 0, to: count, time: later }, onProgress);
  const first = count - CALLED - DUE;
  const heir = await serve(root);
  // Whoever has just started reads all alarms first, which would be measured with the first call.
  await told(heir, { from: count, to: count + 1, time: later });
  // They were used last, so the process has them in memory.
  const due = Date.now() + DUE_AFTER_MS;
  await told(owner, { from: first, to: count - DUE, time: later });
  await told(owner, { from: count - DUE, to: count, time: due });
  const woken = new Map<string, number>();
  heir.on('message', ({ woken: name, at = 0 }: Said) => void (name !== undefined && woken.set(name, at)));
  const wrong: string[] = [];
  const call = async (n: number): Promise<number> => {
    const begun = performance.now();
    const [name, id] = await caller.get<Reminder>(ORIGIN, 'Reminder', `reminder-${n}`).named();
    if (name !== `reminder-${n}` || id !== heir.pid) wrong.push(`reminder-${n} answers ${name} from process ${id}`);
    return performance.now() - begun;
  };
  const killed = performance.now();
  owner.kill('SIGKILL');
  await call(first);
  const answered = performance.now() - killed;
  const calls = await callAll(first + 1, CALLED - 1, call);
  const resting = await callAll(0, CALLED, call);
  while (woken.size < DUE && Date.now() < due + 60_000) await new Promise((resolve) => setTimeout(resolve, 20));
  const latest = Math.max(...woken.values()) - due;
  if (woken.size < DUE) wrong.push(`${DUE - woken.size} alarms were not run within a minute`);
  await caller.close();
  await host.close();
  heir.kill('SIGKILL');
  fs.rmSync(directory, { recursive: true, force: true });
  return { first: answered, median: at(calls, 0.5), p99: at(calls, 0.99), longest: at(calls, 1), resting: { median: at(resting, 0.5), p99: at(resting, 0.99) }, alarms: woken.size, latest, wrong };
}

async function serve(root: string): Promise<ChildProcess> {
  const child = fork(await bundleFixture(new URL('./takeover-fixture.ts', import.meta.url)), [root]);
  await said(child, ({ ready }) => ready === true);
  return child;
}

/** Has a process wake some, and resolves when it has. */
async function told(child: ChildProcess, order: { from: number; to: number; time: number }, onProgress: (made: number) => void = () => undefined): Promise<void> {
  const done = said(child, ({ done: isDone, made }) => {
    if (made !== undefined) onProgress(made);
    return isDone === true;
  });
  child.send(order);
  await done;
}

function said(child: ChildProcess, isIt: (message: Said) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const hear = (message: unknown): void => {
      if (!isIt(message as Said)) return;
      child.off('message', hear);
      resolve();
    };
    child.on('message', hear);
    child.once('exit', (code) => reject(new Error(`A process has ended with ${code}.`)));
  });
}

async function callAll(from: number, count: number, call: (n: number) => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  let next = from;
  const caller = async (): Promise<void> => {
    while (next < from + count) times.push(await call(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  return times.sort((a, b) => a - b);
}

function at(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
