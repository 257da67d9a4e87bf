import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { encrypted } from '../../support/sealed.ts';
import { sample } from '../../support/thorough.ts';
import { StorageHost } from '../../../src/host/storage-host.ts';
import { examine } from './examine.ts';
import { origin, stateOf, type Scenario } from './scenarios.ts';

/**
 * At which of the system calls of a scenario that change something its process is killed; `within`: a write that has
 * written a half. Between two of these the disk is the same, and what is acknowledged there has to be on it at the later
 * one: so these are all boundaries that there are.
 */
export interface KillPoint {
  readonly call: number;
  readonly when: 'before' | 'within' | 'after';
}

/** What a victim has said before it ended. */
interface Report {
  readonly acknowledged: number;
  /** All calls, when it came to its end. */
  readonly calls: readonly { readonly name: string; readonly bytes: number }[] | null;
  readonly signal: string | null;
}

export interface Killings {
  readonly kills: number;
  readonly violations: string[];
}

/** Processes at a time. */
const WIDTH = 2;

/** The states that a scenario goes through, and a root that is as before its first step. */
export interface Rehearsal {
  readonly prepared: string;
  readonly states: readonly string[];
}

/** A directory that goes when `body` has ended. */
export async function withDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-crash-'));
  try {
    return await body(directory);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** Prepares a root, then goes through the scenario undisturbed on a copy of it. */
export async function rehearse(scenario: Scenario, directory: string): Promise<Rehearsal> {
  const prepared = path.join(directory, 'prepared');
  await withHost(prepared, async (client) => scenario.prepare?.(client));
  const rehearsed = copyOf(prepared, path.join(directory, 'rehearsed'));
  const states = await withHost(rehearsed, async (client) => {
    const steps = await scenario.start(client);
    const seen = [await stateOf(client)];
    for (const step of steps) {
      await step();
      seen.push(await stateOf(client));
    }
    return seen;
  });
  return { prepared, states };
}

async function withHost<T>(root: string, body: (client: ReturnType<StorageHost['origin']>) => Promise<T>): Promise<T> {
  const host = new StorageHost({ root, ...encrypted });
  try {
    return await body(host.origin(origin));
  } finally {
    await host.close();
  }
}

export function copyOf(root: string, copy: string): string {
  if (fs.existsSync(root)) fs.cpSync(root, copy, { recursive: true });
  return copy;
}

/**
 * Kills a process at the system calls of a scenario, and lets a newcomer look at what each of them has left.
 *
 * @param of - what chooses among the calls; null: every one
 */
export async function killEverywhere(victim: string, scenario: Scenario, of: string | null, haste?: 'hasty'): Promise<Killings> {
  return withDirectory(async (directory) => {
    const rehearsal = await rehearse(scenario, directory);
    const whole = await run(victim, scenario, copyOf(rehearsal.prepared, path.join(directory, 'whole')), null);
    if (whole.calls === null) throw new Error(`the scenario came to no end: ${JSON.stringify(whole)}`);
    const all = pointsOf(whole.calls);
    const points = of === null ? all.map((value) => ({ value, again: '' })) : sample(all, of);
    const violations: string[] = [];
    let kills = 0;
    const worker = async (): Promise<void> => {
      for (let next = points.shift(); next !== undefined; next = points.shift()) {
        const { value: point, again } = next;
        const root = path.join(directory, `${point.call}-${point.when}`);
        const report = await run(victim, scenario, copyOf(rehearsal.prepared, root), point, haste);
        const found = await judge(report, point, root, rehearsal.states, scenario.torn ?? []);
        const call = whole.calls?.[point.call]?.name ?? '';
        violations.push(...found.map((violation) => `${point.when} call ${point.call} (${call}): ${violation}\n${again}`));
        if (report.signal === 'SIGKILL') kills++;
        fs.rmSync(root, { recursive: true, force: true });
      }
    };
    await Promise.all(Array.from({ length: WIDTH }, worker));
    return { kills, violations };
  });
}

function pointsOf(calls: readonly { bytes: number }[]): KillPoint[] {
  const points = calls.flatMap(({ bytes }, call): KillPoint[] => {
    const before = { call, when: 'before' } as const;
    return bytes > 1 ? [before, { call, when: 'within' }] : [before];
  });
  return [...points, { call: calls.length - 1, when: 'after' }];
}

/**
 * Timers and what is cleaned in the background may make a call more or less from run to run: then there is none of that
 * number, or none that could be interrupted, or the last one has yet to answer when all is done.
 */
function livedToTell(calls: Report['calls'], { call, when }: KillPoint): boolean {
  if (calls === null) return false;
  const met = calls[call];
  return met === undefined || (when === 'within' && met.bytes <= 1) || (when === 'after' && met.name.startsWith('promises.'));
}

async function judge(report: Report, point: KillPoint, root: string, states: readonly string[], torn: readonly string[]): Promise<string[]> {
  const { signal, acknowledged, calls } = report;
  if (signal !== 'SIGKILL' && !livedToTell(calls, point)) return [`it was to be killed: ${JSON.stringify(report)}`];
  return examine(root, [...states.slice(acknowledged, acknowledged + 2), ...torn]);
}

async function run(victim: string, { name }: Scenario, root: string, point: KillPoint | null, haste?: 'hasty'): Promise<Report> {
  const child = spawn(process.execPath, [victim, name, root, JSON.stringify(point), ...(haste === undefined ? [] : [haste])], {
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  let text = '';
  (child.stdio[3] as Readable).setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  const messages = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as unknown);
  const end = messages.find((message) => typeof message === 'object') as Pick<Report, 'calls'> | undefined;
  return { acknowledged: messages.filter((message) => message === 'acknowledged').length, calls: end?.calls ?? null, signal };
}
