import fs from 'node:fs';
import path from 'node:path';
import { encrypted } from '../support/sealed.ts';
import { sample } from '../support/thorough.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { describe, use } from '../crash/support/examine.ts';
import { bytesOf, handleCalls, isChange, isWrite, type Call, type Fault, type Handler } from '../crash/support/fault-layer.ts';
import { copyOf, rehearse, withDirectory, type Rehearsal } from '../crash/support/kill.ts';
import { origin, stateOf, until, type Scenario } from '../crash/support/scenarios.ts';

const codes = ['ENOSPC', 'EIO', 'EMFILE', 'EACCES'] as const;

/** The names of DOMExceptions and the codes of HoldfastErrors that a caller may get, for each that the disk gives. */
export type RightNames = Readonly<Record<(typeof codes)[number], readonly string[]>>;

/** A fault that strikes at some calls of a scenario, from the `first` on. */
export interface Strike {
  readonly first: number;
  /** `Infinity`: until the end of the scenario, as a disk that is full. */
  readonly times: number;
  readonly fault: (call: Call) => Fault | undefined;
  readonly name: string;
  /** What the disk says; a disk that takes only a part of a write is full. */
  readonly code: (typeof codes)[number];
}

/** Every strike that is tried at a call. */
function strikesAt(first: number, call: Call): Strike[] {
  const once = codes.map((code): Strike => ({ first, times: 1, name: code, code, fault: () => ({ code, late: false }) }));
  const lasting: Strike = { first, times: Infinity, name: 'a full disk', code: 'ENOSPC', fault: fullDisk };
  const short: Strike = { first, times: 1, name: 'a short write', code: 'ENOSPC', fault: halved };
  return [...once, ...(takesSpace(call) ? [lasting] : []), ...(isWrite(call) ? [short] : [])];
}

function takesSpace(call: Call): boolean {
  return isChange(call) && /write|open|mk|link$|linkSync|copyFile/i.test(call.name) && !call.name.includes('unlink');
}

/** A full disk refuses what needs space, and nothing else. */
function fullDisk(call: Call): Fault | undefined {
  return takesSpace(call) ? { code: 'ENOSPC', late: false } : undefined;
}

function halved(call: Call): Fault | undefined {
  if (!isWrite(call)) return undefined;
  return { bytes: Math.floor(bytesOf(call) / 2) };
}

export interface Trials {
  readonly count: number;
  readonly violations: string[];
}

/**
 * Lets system calls of a scenario fail, and looks at what its user is told and what is left.
 *
 * @param of - what chooses among the calls and the ways in which they fail
 */
export async function faultEverywhere(scenario: Scenario, names: RightNames, of: string): Promise<Trials> {
  return withDirectory(async (directory) => {
    const rehearsal = await rehearse(scenario, directory);
    const calls = await callsOf(scenario, rehearsal, directory);
    const violations: string[] = [];
    let count = 0;
    const all = calls.flatMap((call, first) => strikesAt(first, call).map((strike) => ({ call, strike })));
    for (const { value: { call, strike }, again } of sample(all, of)) {
      const root = copyOf(rehearsal.prepared, path.join(directory, `${strike.first}-${count++}`));
      const found = await trial(scenario, rehearsal, root, strike, names);
      violations.push(...found.map((violation) => `${strike.name} at call ${strike.first} (${call.name}): ${violation}\n${again}`));
      fs.rmSync(root, { recursive: true, force: true });
    }
    return { count, violations };
  });
}

async function callsOf(scenario: Scenario, { prepared }: Rehearsal, directory: string): Promise<Call[]> {
  const root = copyOf(prepared, path.join(directory, 'counted'));
  const calls: Call[] = [];
  // From the start, so that it is known which file a descriptor is of.
  handleCalls(root, {});
  await withHost(root, async (host) => {
    const steps = await scenario.start(host.origin(origin));
    handleCalls(root, { before: (call) => void calls.push(call) });
    for (const step of steps) await step();
    handleCalls(root, null);
  });
  return calls;
}

async function trial(scenario: Scenario, { states }: Rehearsal, root: string, strike: Strike, names: RightNames): Promise<string[]> {
  const found: string[] = [];
  handleCalls(root, {});
  await withHost(root, async (host) => {
    const client = host.origin(origin);
    const steps = await scenario.start(client);
    const { done, error } = await undergo(root, strike, steps);
    if (error !== undefined) {
      found.push(...wrongError(error, names[strike.code]));
      if (scenario.closesLast === true) await steps.at(-1)?.();
    }
    const allowed = states.slice(done, isUnknown(error) ? done + 2 : done + 1);
    found.push(...(await stateViolations(host, allowed)));
  }).catch((error: unknown) => found.push(`it does not close: ${describe(error)}`));
  // The deletion of trash ends by itself, soon.
  await until(() => openBelow(root).length === 0, 'for descriptors to be closed').catch(() => found.push(`open: ${openBelow(root).join()}`));
  handleCalls(root, null);
  return found;
}

/** Runs the steps under the fault up to the one that fails. */
async function undergo(root: string, strike: Strike, steps: Awaited<ReturnType<Scenario['start']>>): Promise<{ done: number; error?: unknown }> {
  let [calls, done] = [0, 0];
  const handler: Handler = {
    before: (call) => {
      const struck = calls >= strike.first && calls < strike.first + strike.times;
      calls++;
      return struck ? strike.fault(call) : undefined;
    },
  };
  handleCalls(root, handler);
  try {
    for (const step of steps) {
      await step();
      done++;
    }
    return { done };
  } catch (error) {
    return { done, error };
  } finally {
    handleCalls(root, {});
  }
}

/** A user may be told that the outcome is not known; everything else has not happened when it fails. */
function isUnknown(error: unknown): boolean {
  return error instanceof Error && error.message.includes('unknown');
}

function wrongError(error: unknown, names: readonly string[]): string[] {
  const expected = isUnknown(error) ? [...names, 'UnknownError'] : names;
  const name = error instanceof DOMException ? error.name : error instanceof HoldfastError ? error.code : '';
  const isRight = expected.includes(name) && (error as Error).cause !== undefined;
  return isRight ? [] : [`the error is ${name}: ${describe(error)}`];
}

/** What is readable now, by the one that met the fault and by another; and whether both work again. */
async function stateViolations(host: StorageHost, allowed: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  try {
    const client = host.origin(origin);
    const state = await stateOf(client);
    if (!allowed.includes(state)) found.push(`the state is\n${state}\nand should be one of\n${allowed.join('\n-- or --\n')}`);
    await use(client);
  } catch (error) {
    found.push(`it does not work any more: ${describe(error)}`);
  }
  return found;
}

/** What this process has open below a directory. */
function openBelow(root: string): string[] {
  return fs.readdirSync('/proc/self/fd').map(targetOf).filter((target) => target.startsWith(`${root}/`));
}

/** The listing had a descriptor itself, which is gone by now. */
function targetOf(descriptor: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

async function withHost(root: string, body: (host: StorageHost) => Promise<void>): Promise<void> {
  const host = new StorageHost({ root, ...encrypted });
  try {
    await body(host);
  } finally {
    await host.close();
  }
}
