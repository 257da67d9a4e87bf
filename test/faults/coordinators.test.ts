/** The disk refuses, at every system call of a coordinator's life: its callers are told what became of their calls, and it goes on with what is there. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Coordinator, testCoordinators } from '../../src/host/coordinator/index.ts';
import type { Stub, TestCoordinators } from '../../src/host/coordinator/index.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { bytesOf, handleCalls, isChange, isWrite, type Call, type Fault } from '../crash/support/fault-layer.ts';
import { isThorough } from '../support/thorough.ts';

class Log extends Coordinator {
  add(text: string): number {
    const all = [...this.all(), text];
    this.localStorage.setItem('all', JSON.stringify(all));
    return all.length;
  }

  all(): string[] {
    return JSON.parse(this.localStorage.getItem('all') ?? '[]') as string[];
  }

  wake(inMs: number, text: string): void {
    this.add(text);
    this.state.setAlarm(Date.now() + inMs);
  }

  override alarm(): void {
    this.add('alarm');
  }
}

/** Of so many calls one fails. */
const EACH = isThorough ? 1 : 3;

const NAMES = ['old', 'new'];

type Strike = (call: Call, isFirst: boolean) => Fault | undefined;

const strikes: Readonly<Record<string, Strike>> = {
  'a disk that is full once': (call, isFirst) => (isFirst && isChange(call) ? { code: 'ENOSPC', late: false } : undefined),
  'a disk that is full from there on': (call) => (isChange(call) && /write|open|mk/i.test(call.name) ? { code: 'ENOSPC', late: false } : undefined),
  'a short write, and then a full disk': (call, isFirst) => (!isWrite(call) ? undefined : isFirst ? { bytes: bytesOf(call) >> 1 } : { code: 'ENOSPC', late: false }),
  'an error of the device': (_call, isFirst) => (isFirst ? { code: 'EIO', late: false } : undefined),
  'an error of the device, after the work was done': (_call, isFirst) => (isFirst ? { code: 'EIO', late: true } : undefined),
};

const OUTCOMES = ['not-run', 'unknown', 'partial', 'ran'];

/** What a coordinator has to hold by now, as far as its callers have been told. */
interface Told {
  readonly surely: string[];
  readonly perhaps: string[];
}

async function attempt(told: Told, text: string, call: () => Promise<unknown>): Promise<string[]> {
  try {
    await call();
    told.surely.push(text);
    return [];
  } catch (error) {
    const { outcome, retryable, overloaded, remote, code, cause } = error as { [name: string]: unknown };
    const isClear = error instanceof HoldfastError && OUTCOMES.includes(String(outcome)) && typeof retryable === 'boolean' && overloaded === false && remote === false;
    // Its own code has met the disk, before it wrote.
    const isItsOwn = remote === true && ['disk-failed', 'disk-full'].includes(String(code));
    if (outcome !== 'not-run' && !isItsOwn) told.perhaps.push(text);
    return isClear || isItsOwn ? [] : [`${text} rejects with ${String(error)}, ${String(code)}, ${String(outcome)}, ${String(cause)}`];
  }
}

/** Calls of one that was there, with its alarm, and of one that was not; both go, and come again, and are woken. */
async function live({ get, evict, advance }: TestCoordinators, told: ReadonlyMap<string, Told>): Promise<string[]> {
  const found: string[] = [];
  for (const name of NAMES) {
    const log = get(Log, name);
    const call = async (text: string, of: () => Promise<unknown>): Promise<void> => void found.push(...(await attempt(told.get(name) as Told, text, of)));
    await call('1', () => log.add('1'));
    await Promise.all([call('2', () => log.add('2')), call('3', () => log.add('3'))]);
    await call('set', () => log.wake(1000, 'set'));
    await evict(log).catch(() => undefined);
    await call('4', () => log.add('4'));
  }
  await advance(5000);
  return found;
}

/** What is there is what was told, in order; what may be there or not stands where it was called. */
function wrong(all: readonly string[], { surely, perhaps }: Told): string | null {
  const counted = (text: string): number => all.filter((each) => each === text).length;
  const missing = surely.filter((text) => counted(text) === 0);
  const tooMany = ['1', '2', '3', '4', 'set'].filter((text) => counted(text) > (surely.includes(text) || perhaps.includes(text) ? 1 : 0));
  const own = all.filter((text) => !text.startsWith('x'));
  return missing.length === 0 && tooMany.length === 0 ? null : `it has ${own.join()}; surely ${surely.join()}; perhaps ${perhaps.join()}`;
}

async function aftermath(test: TestCoordinators, told: ReadonlyMap<string, Told>): Promise<string[]> {
  const found: string[] = [];
  for (const name of NAMES) {
    const log: Stub<Log> = test.get(Log, name);
    try {
      const all = await log.all();
      const sentence = wrong(all, told.get(name) as Told);
      if (sentence !== null) found.push(`${name}: ${sentence}`);
      const count = await log.add('after');
      if (count !== all.length + 1) found.push(`${name}: a call gave ${count} where ${all.length} were there`);
    } catch (error) {
      found.push(`${name} does not work any more: ${String(error)} ${String((error as Error).cause)}`);
    }
  }
  for (let n = 0; n < 3; n++) await test.advance(10_000);
  for (const name of NAMES) {
    const all = await test.get(Log, name).all();
    if (name === 'old' || (told.get(name) as Told).surely.includes('set')) if (!all.includes('alarm')) found.push(`${name}: its alarm was lost; it has ${all.filter((text) => !text.startsWith('x')).join()}`);
  }
  return found;
}

/** A root with a coordinator that has an alarm, and whose journal is long. */
async function prepare(directory: string): Promise<string> {
  const root = path.join(directory, 'prepared');
  const test = testCoordinators({ Log }, { root });
  const log = test.get(Log, 'old');
  await log.wake(1000, 'x');
  for (let n = 0; n < 20; n++) await log.add('x'.repeat(1000));
  await test.coordinators.close();
  await test.host.close();
  return root;
}

async function trial(root: string, strike: { readonly first: number; readonly how: Strike } | null): Promise<{ calls: Call[]; found: string[] }> {
  const test = testCoordinators({ Log }, { root });
  const told = new Map(NAMES.map((name) => [name, { surely: [], perhaps: [] }]));
  const calls: Call[] = [];
  handleCalls(root, {
    before: (call) => {
      const at = calls.push(call) - 1;
      return strike === null || at < strike.first ? undefined : strike.how(call, at === strike.first);
    },
  });
  const found = await live(test, told);
  handleCalls(root, null);
  found.push(...(await aftermath(test, told)));
  await test.close();
  return { calls, found };
}

describe('coordinators meet, at any system call,', () => {
  test.each(Object.entries(strikes))('%s', { timeout: 300_000 }, async (_name, how) => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-coordinator-faults-'));
    const prepared = await prepare(directory);
    const copy = (name: string): string => {
      const root = path.join(directory, name);
      fs.cpSync(prepared, root, { recursive: true });
      return root;
    };
    const { calls, found } = await trial(copy('counted'), null);
    expect(found).toEqual([]);
    const struck = calls.flatMap((call, first) => (how(call, true) === undefined ? [] : [first]));
    expect(struck.length).toBeGreaterThan(20);
    for (const first of struck.filter((_, n) => n % EACH === 0)) {
      const sentences = (await trial(copy(`trial-${first}`), { first, how })).found;
      found.push(...sentences.map((sentence) => `at call ${first}, ${calls[first]?.name}: ${sentence}`));
    }
    fs.rmSync(directory, { recursive: true, force: true });
    expect(found).toEqual([]);
  });
});
