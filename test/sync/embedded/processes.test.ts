import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { embeddedHub } from '../../../src/sync/hubs/embedded/embedded-hub.ts';
import { bundleFixture } from '../../support/bundle.ts';
import { HubProcess } from './hub-process.ts';

const fixture = bundleFixture(new URL('./client-fixture.ts', import.meta.url));

async function startedHub(): Promise<HubProcess> {
  const hub = await HubProcess.start();
  onTestFinished(() => hub.remove());
  return hub;
}

interface Client {
  readonly child: ChildProcess;
  /** Resolves to the exit code. */
  readonly ended: Promise<number | null>;
  /** The lines that it has printed. */
  lines(): string[];
}

async function startClient(server: HubProcess, name: string, number: number, batches: number): Promise<Client> {
  const args = [await fixture, server.url, name, String(number), String(batches)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, HOLDFAST_HUB_TOKEN: server.token } });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, ended: once(child, 'close').then(([code]) => code as number | null), lines: () => output.split('\n').slice(0, -1) };
}

async function readTexts(server: HubProcess, name: string): Promise<string[]> {
  const hub = embeddedHub({ url: server.url, token: server.token });
  const log = hub.log(name);
  const texts: string[] = [];
  for (let more = true; more; ) {
    const got = await log.read(texts.length, 1000);
    texts.push(...got.map(({ bytes }) => Buffer.from(bytes).toString()));
    more = got.length > 0;
  }
  await hub.close();
  return texts;
}

/** The numbers of the batches of each client, in order; fails where a batch is not in one piece. */
function batchesOf(texts: readonly string[], clients: number): number[][] {
  const batches: number[][] = Array.from({ length: clients }, () => []);
  for (let at = 0; at < texts.length; at += 2) {
    const [client = 0, count = 0] = (texts[at] ?? '').split(' ').map(Number);
    expect(texts.slice(at, at + 2)).toEqual([`${client} ${count} a`, `${client} ${count} b`]);
    batches[client]?.push(count);
  }
  return batches;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

test('processes that append at once are all taken, each in its order', async () => {
  const server = await startedHub();
  const clients = await Promise.all(upTo(4).map((number) => startClient(server, 'log', number, 100)));
  expect(await Promise.all(clients.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
  expect(batchesOf(await readTexts(server, 'log'), 4)).toEqual([upTo(100), upTo(100), upTo(100), upTo(100)]);
});

test('clients that are killed leave whole batches, all that were acknowledged among them', async () => {
  const server = await startedHub();
  const clients = await Promise.all(upTo(3).map((number) => startClient(server, 'log', number, 100_000)));
  await vi.waitFor(() => expect(clients.every(({ lines }) => lines().length > 20)).toBe(true), { timeout: 30_000 });
  for (const { child } of clients) child.kill('SIGKILL');
  await Promise.all(clients.map(({ ended }) => ended));
  const batches = batchesOf(await readTexts(server, 'log'), 3);
  for (const [number, { lines }] of clients.entries()) {
    const count = batches[number]?.length ?? 0;
    expect(batches[number]).toEqual(upTo(count));
    // One that was under way may have arrived.
    expect(count - lines().length).toBeOneOf([0, 1]);
  }
});

test('a subscription keeps no process alive', async () => {
  const server = await startedHub();
  const client = await startClient(server, 'log', 0, 0);
  expect(await client.ended).toBe(0);
  expect(client.lines()).toEqual(['news']);
});

test('a second server at the root of a living one ends and says so; when that is killed, the next one starts', async () => {
  const server = await startedHub();
  await expect(HubProcess.start({ root: server.root })).rejects.toThrow(`served by another hub (process ${server.pid})`);
  await server.kill();
  const next = await HubProcess.start({ root: server.root });
  onTestFinished(() => next.remove());
});

test('SIGTERM and SIGINT end it in good order, and it prints one line in its life', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const server = await startedHub();
    const client = await startClient(server, 'log', 0, 100_000);
    await vi.waitFor(() => expect(client.lines().length).toBeGreaterThan(5), { timeout: 30_000 });
    client.child.kill('SIGKILL');
    expect(await server.signal(signal)).toBe(0);
    expect(server.output).toMatch(/^holdfast hub: listening on http:\/\/127\.0\.0\.1:[0-9]+, data in .*\n$/);
    expect(server.output).not.toContain(server.token);
  }
});

test('SIGTERM lets those go at once who wait for news', async () => {
  const server = await startedHub();
  const hub = embeddedHub({ url: server.url, token: server.token });
  onTestFinished(() => hub.close());
  let news = 0;
  hub.log('log').subscribe(() => (news += 1));
  await vi.waitFor(() => expect(news).toBeGreaterThan(0), 30_000);
  expect(await server.signal('SIGTERM')).toBe(0);
});
