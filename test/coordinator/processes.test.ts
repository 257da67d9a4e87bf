import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { openHost, temporaryDirectory } from '../host/support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { deploy } from './deploy.ts';
import { callBy, ORIGIN, Register } from './server-fixture.ts';
import { kill } from './servers.ts';

let attempts = 0;

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
}

describe('calls from another process', { timeout: 120_000 }, () => {
  test('come to one instance, whoever makes them, and carry values, errors and requests', async () => {
    const { stub, root } = await deploy(2);
    const here = new Coordinators(openHost({ root }), { Register });
    onTestFinished(() => here.close());
    callBy(here);
    const [far, near] = [stub('a'), here.get(ORIGIN, Register, 'a')];
    const results = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? far : near).increment()));
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
    expect(await far.pid()).toBe(await near.pid());
    expect(await far.relay('b')).toBe(1);
    expect(await refusal((far as unknown as { nothing(): Promise<void> }).nothing())).toMatchObject({ code: 'bad-option', outcome: 'not-run' });
    expect(await refusal(far.fetch('https://x.example/'))).toMatchObject({ code: 'bad-option', outcome: 'not-run' });
  });

  test('go on elsewhere when the process is killed, and each that changes something has run once', async () => {
    const { stub, servers, add } = await deploy(2);
    const register = stub('a');
    await register.counted();
    for (let round = 0; round < 3; round++) {
      const pid = await register.pid();
      const calls = Array.from({ length: 200 }, () => register.counted());
      await calls[20];
      servers.find((server) => server.pid === pid)?.kill('SIGKILL');
      await Promise.all(calls);
      await add();
    }
    const runs = await register.runs();
    expect([Object.keys(runs).length, Math.max(...Object.values(runs)), await register.read()]).toEqual([601, 1, 601]);
  });

  test('go on elsewhere when the process is paused, whose later writes are void', async () => {
    const { stub, servers } = await deploy(2);
    const pause = async (name: string): Promise<unknown> => {
      const register = stub(name);
      const values = [await register.increment()];
      const pid = await register.pid();
      const paused = servers.find((server) => server.pid === pid);
      paused?.kill('SIGSTOP');
      values.push(await register.increment());
      const whilePaused = await register.pid();
      paused?.kill('SIGCONT');
      values.push(await register.increment());
      return [values, whilePaused !== pid, (await register.pid()) === whilePaused];
    };
    // On a busy machine the other process may stand still for so long that the one that was paused is given it back: nothing is lost then.
    await expect.poll(() => pause(`a${(attempts += 1)}`), { timeout: 100_000 }).toEqual([[1, 2, 3], true, true]);
  });

  test('go on elsewhere when the process hangs', async () => {
    const { stub } = await deploy(2);
    const values: number[] = [];
    const hang = async (name: string): Promise<unknown> => {
      const register = stub(name);
      await register.increment();
      const pid = await register.pid();
      const hanging = refusal(register.hang(5000));
      await later(50);
      values.push(await register.increment());
      const isElsewhere = (await register.pid()) !== pid;
      return [await hanging, isElsewhere];
    };
    const moved = [expect.objectContaining({ code: 'coordinator-interrupted', outcome: 'partial', retryable: false }), true];
    // On a busy machine its process may be given up before it hangs, or have done so again before anybody asks: nothing is lost then.
    await expect.poll(() => hang(`a${(attempts += 1)}`), { timeout: 100_000 }).toEqual(moved);
    expect(values.every((value) => value === 2)).toBe(true);
  });

  test('none fails while processes are closed and begun one after another', async () => {
    const { stub, servers, add } = await deploy(2);
    let calls = 0;
    let isOver = false;
    const work = Array.from({ length: 8 }, async (_, n) => {
      for (; !isOver; calls++) await stub(`r${n % 4}`).counted();
    });
    for (let round = 0; round < 3; round++) {
      await later(150);
      const [closing] = servers.splice(0, 1);
      closing?.kill('SIGTERM');
      await add();
      if (closing !== undefined && closing.exitCode === null) await once(closing, 'exit');
      expect(closing?.exitCode).toBe(0);
    }
    isOver = true;
    await Promise.all(work);
    const totals = await Promise.all([0, 1, 2, 3].map((n) => stub(`r${n}`).read()));
    const runs = await Promise.all([0, 1, 2, 3].map((n) => stub(`r${n}`).runs()));
    expect(totals.reduce((sum, total) => sum + total, 0)).toBe(calls);
    expect(runs.flatMap((each) => Object.values(each)).every((count) => count === 1)).toBe(true);
  });

  test('tell after a while that nobody serves the class', async () => {
    const { stub } = await deploy(0, 'relaxed', 1000);
    const error = await refusal(stub('a').read());
    expect(error).toMatchObject({ name: 'HoldfastError', code: 'coordinator-unavailable', outcome: 'not-run', retryable: true });
  });

  test('find a process that begins to serve meanwhile', async () => {
    const { stub, add } = await deploy(0);
    const call = stub('a').increment();
    await later(50);
    await add();
    expect(await call).toBe(1);
  });

  test('and threads: they have one instance, also when the one that has it is ended', async () => {
    const { stub, root } = await deploy(0);
    const fixture = await bundleFixture(new URL('./thread-fixture.ts', import.meta.url));
    const start = (): Worker => new Worker(fixture, { workerData: root });
    const [a, b] = [start(), start()];
    onTestFinished(async () => void (await Promise.all([a.terminate(), b.terminate()])));
    const ask = async (worker: Worker): Promise<number[]> => {
      worker.postMessage(30);
      return ((await once(worker, 'message')) as [number[]])[0];
    };
    const results = (await Promise.all([ask(a), ask(b)])).flat();
    expect(results.sort((one, other) => one - other)).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    await a.terminate();
    expect(await stub('shared').increment()).toBe(61);
    expect(await ask(b)).toHaveLength(30);
    expect(Object.values(await stub('shared').runs()).every((count) => count === 1)).toBe(true);
  });

  test('and workers of a cluster, one of which ends once it is disconnected', async () => {
    const fixture = await bundleFixture(new URL('./cluster-fixture.ts', import.meta.url));
    const primary = spawn(process.execPath, [fixture, path.join(temporaryDirectory(), 'root')], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => kill(primary));
    expect(await text(primary.stdout)).toBe('[1,2,0,3]');
  });

  test('of alarms: they are run though the process that has set them was killed', async () => {
    const { stub, servers } = await deploy(2);
    const register = stub('a');
    await register.setAlarm(Date.now() + 300);
    const pid = await register.pid();
    servers.find((server) => server.pid === pid)?.kill('SIGKILL');
    while ((await register.alarms()) === 0) await later(50);
    expect(await register.alarms()).toBe(1);
  });

  test('need a folder for sockets: where none can be made, the caller is told why', async () => {
    const host = openHost();
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    fs.writeFileSync(path.join(host.root, 'coordinators'), 'in the way');
    const coordinators = new Coordinators(host, { Register });
    onTestFinished(() => coordinators.close());
    expect(await refusal(coordinators.get(ORIGIN, Register, 'a').read())).toMatchObject({ code: 'disk-failed', outcome: 'not-run', message: expect.stringMatching(/^Nobody can be reached who runs Register 'a': .*coordinators/) as string });
  });

  test('are possible where the path of a socket would be too long', async () => {
    const host = openHost();
    const root = path.join(path.dirname(host.root), 'long'.repeat(30));
    const [a, b] = [new Coordinators(openHost({ root }), { Register }), new Coordinators(openHost({ root }), { Register })];
    onTestFinished(async () => void (await Promise.all([a.close(), b.close()])));
    expect(await a.get(ORIGIN, Register, 'a').increment()).toBe(1);
    expect(await b.get(ORIGIN, Register, 'a').increment()).toBe(2);
    expect(fs.statSync(path.join(root, 'coordinators/s')).mode & 0o777).toBe(0o700);
    await a.close();
    expect(await b.get(ORIGIN, Register, 'a').increment()).toBe(3);
  });
});
