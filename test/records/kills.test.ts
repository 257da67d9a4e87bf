import { spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import { thisTest } from '../support/this-test.ts';
import { isThorough, sample } from '../support/thorough.ts';
import { newBucket } from './support/databases.ts';
import { nodeWithSqlite } from './support/other-node.ts';

/** Kills at calls of each that are tried, unless all are; and at any time. */
const AT_CALLS = 3;
const AT_TIMES = isThorough ? 60 : 3;

/** What all kills of a test may take, in ms. */
const PATIENCE = isThorough ? 7_200_000 : 600_000;

const bundle = bundleFixture(new URL('core/kill-run.ts', import.meta.url));

interface Victim {
  readonly node: string;
  readonly driver: 'built-in' | 'wasm' | 'sealed';
}

interface Ended {
  /** The last step that it said had been committed. */
  readonly acknowledged: number;
  readonly calls: number;
  readonly said: string;
  readonly code: number | null;
}

/** `killAfter`: milliseconds after the acknowledgement of a step that it is killed. */
async function runVictim({ node, driver }: Victim, bucket: string, env: Record<string, string>, kill?: { readonly step: number; readonly after: number }): Promise<Ended> {
  const child = spawn(node, ['--no-warnings', await bundle], { env: { ...process.env, BUCKET: bucket, DRIVER: driver, ...env }, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let acks = '';
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (said += part.toString()));
  (child.stdio[3] as Readable).on('data', (part: Buffer) => {
    acks += part.toString();
    if (kill !== undefined && acks.split('\n').length > kill.step) setTimeout(() => child.kill('SIGKILL'), kill.after);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  const lines = acks.split('\n').slice(0, -1);
  return {
    acknowledged: Math.max(0, ...lines.map(Number).filter(Number.isInteger)),
    calls: Number(/calls (\d+)/.exec(acks)?.[1] ?? 0),
    said,
    code,
  };
}

/** What is there must be what was acknowledged, or the step after it. @returns how many steps that is */
async function expectWhole(victim: Victim, bucket: string, { acknowledged, said }: Ended, label: string, env: Record<string, string> = {}): Promise<number> {
  const found = await runVictim(victim, bucket, { ...env, EXAMINE: '1' });
  expect(`${label}: ${found.said}`).toMatch(/steps \d+\n$/);
  const steps = Number(/steps (\d+)/.exec(found.said)?.[1]);
  expect([acknowledged, acknowledged + 1], `${label} ${said}`).toContain(steps);
  return steps;
}

async function inBucket(body: (bucket: string) => Promise<void>): Promise<void> {
  const bucket = newBucket();
  try {
    await body(bucket);
  } finally {
    fs.rmSync(bucket, { recursive: true, force: true });
  }
}

/** Chosen anew each time; a failure says which. */
function random(): { readonly seed: number; readonly next: (below: number) => number } {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const draw = mulberry32(seed);
  return { seed, next: (below) => Math.floor(draw() * below) };
}

async function killAtCalls(victim: Victim): Promise<void> {
  let total = 0;
  await inBucket(async (bucket) => {
    const whole = await runVictim(victim, bucket, { COUNT: '1' });
    expect(whole.said).toBe('');
    total = whole.calls;
    await expectWhole(victim, bucket, whole, 'undisturbed');
  });
  expect(total).toBeGreaterThan(20);
  const points = Array.from({ length: total }, (_, call) => (['before', 'within', 'after'] as const).map((when) => ({ call, when }))).flat();
  for (const { value: { call, when }, again: command } of sample(points, thisTest(), AT_CALLS)) {
    await inBucket(async (bucket) => {
      const ended = await runVictim(victim, bucket, { KILL: JSON.stringify({ call, when }) });
      const steps = await expectWhole(victim, bucket, ended, `${command}\nkilled ${when} call ${call}`);
      const again = await runVictim(victim, bucket, {});
      // One that was killed at its very end has left nothing to do.
      await expectWhole(victim, bucket, { ...again, acknowledged: Math.max(steps, again.acknowledged) }, `${command}\nkilled ${when} call ${call}, and gone on`);
    });
  }
}

/** `env`: what the steps are. */
async function killAtTimes(victim: Victim, kills: number, env: Record<string, string> = {}): Promise<void> {
  const { next } = random();
  await inBucket(async (bucket) => {
    for (let kill = 0; kill < kills; kill++) {
      const step = 1 + next(8);
      const after = next(12);
      const ended = await runVictim(victim, bucket, { ...env, STEPS: String(24 + kill * 4) }, { step, after });
      if (ended.acknowledged > 0) await expectWhole(victim, bucket, ended, `killed ${after} ms after ${step} steps`, env);
    }
  });
}

describe.runIf(nodeWithSqlite !== null)("a realm that is killed, on the runtime's own SQLite", () => {
  const victim: Victim = { node: nodeWithSqlite ?? '', driver: 'built-in' };

  test('at a call of its own leaves whole steps and no file too many', () => killAtCalls(victim), PATIENCE);

  test('at any time leaves whole steps and no file too many', () => killAtTimes(victim, AT_TIMES), PATIENCE);

  test('around checkpoints, of which every step brings one, leaves whole steps', () => killAtTimes(victim, AT_TIMES, { FILL: '70' }), PATIENCE);
});

describe('a realm that is killed, on SQLite in WebAssembly', () => {
  const victim: Victim = { node: process.execPath, driver: 'wasm' };

  test('at a call leaves whole steps and no file too many', () => killAtCalls(victim), PATIENCE);
});

describe('a realm that is killed, on encrypted files', () => {
  const victim: Victim = { node: process.execPath, driver: 'sealed' };

  test('at a call leaves whole steps and no file too many', () => killAtCalls(victim), PATIENCE);
});
