import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { embeddedHub } from '../../../src/sync/hubs/embedded/embedded-hub.ts';
import type { Hub, HubLog } from '../../../src/sync/hub.ts';
import { bundleFixture } from '../../support/bundle.ts';
import { connected, entry, startedHub, temporaryRoot, TOKEN } from './in-process.ts';

const program = bundleFixture(new URL('./killed-hub.ts', import.meta.url));

const blobOf = (text: string): { name: string; bytes: Uint8Array } => {
  const bytes = Buffer.from(text);
  return { name: createHash('sha256').update(bytes).digest('hex'), bytes };
};

const NAMED = ['named by an entry', 'named by the state', 'named by an entry too'].map(blobOf);
const UNNAMED = Array.from({ length: 6 }, (_, index) => blobOf(`named by nothing ${index}`));

interface Known {
  readonly epoch: string;
  readonly position: number;
}

/** A root with blobs of which the entries up to a position name some, and its state one. */
async function prepare(root: string): Promise<Known> {
  const hub = await startedHub({ root });
  const client = await connected(hub.url);
  const log = client.log('log');
  for (const { name, bytes } of [...NAMED, ...UNNAMED]) await log.putBlob(name, bytes);
  await log.append([entry('first')], [NAMED[0]?.name ?? '', NAMED[2]?.name ?? '']);
  const { epoch, position } = await log.head();
  await client.close();
  await hub.close();
  return { epoch, position };
}

/** A hub that is killed at a change, as soon as it counts them. */
async function startKilled(root: string, at: number): Promise<{ hub: Hub; count(): Promise<void>; kill(): Promise<void> }> {
  const child = spawn(process.execPath, [await program, root, TOKEN, String(at)], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = once(child, 'exit');
  const line = async (): Promise<string> => String(((await once(child.stdout, 'data')) as [Buffer])[0]).trim();
  const hub = embeddedHub({ url: await line(), token: TOKEN });
  onTestFinished(() => hub.close());
  await hub.connect();
  // Only a log that was used has anything to be read.
  await hub.log('log').head();
  const count = async (): Promise<void> => {
    child.stdin.write('count');
    await line();
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { hub, count, kill };
}

const isNamed = (name: string): boolean => NAMED.some((blob) => blob.name === name);

function collect(log: HubLog, { epoch, position }: Known): Promise<number> {
  return log.collectBlobs({ epoch, first: 1, position, unusedFor: 0, isNamed });
}

function outcomeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
}

async function expectWhole(log: HubLog, blobs: typeof NAMED, when: string): Promise<void> {
  for (const { name, bytes } of blobs) expect(await log.getBlob(name).then((got) => got && Buffer.from(got)), when).toEqual(bytes);
}

test('a hub that is killed at any change while blobs are collected has all that are named, and the next collection takes the rest', async () => {
  let kills = 0;
  for (let at = 0; ; at++) {
    const root = temporaryRoot();
    const known = await prepare(root);
    const { hub, count, kill } = await startKilled(root, at);
    const log = hub.log('log');
    await count();
    // While it goes on somebody names one of those that the collector knows nothing of.
    const late = UNNAMED[4] ?? blobOf('');
    const outcomes = await Promise.all([outcomeOf(log.append([entry('late')], [late.name])), outcomeOf(collect(log, known))]);
    await kill();
    await hub.close();
    const when = `killed at change ${at}`;

    const again = await startedHub({ root });
    const client = await connected(again.url);
    const fresh = client.log('log');
    const entries = await fresh.read(0, 10);
    expect(entries.length - 1, when).toBeGreaterThanOrEqual(Number(outcomes[0] === 'done'));
    const living = entries.length > 1 ? [...NAMED, late] : NAMED;
    // As whoever was cut off does, who knows nothing of what was appended since.
    await collect(fresh, known);
    await expectWhole(fresh, living, when);
    const head = await fresh.head();
    const left = await fresh.hasBlobs(UNNAMED.filter((blob) => !living.includes(blob)).map(({ name }) => name));
    expect(await fresh.collectBlobs({ ...head, unusedFor: 0, isNamed: (name) => living.some((blob) => blob.name === name) }), when).toBe(left.size);
    expect([...(await fresh.hasBlobs([...NAMED, ...UNNAMED].map(({ name }) => name)))].sort(), when).toEqual(living.map(({ name }) => name).sort());
    await expectWhole(fresh, living, when);
    await client.close();
    await again.close();
    if (!outcomes.includes('hub-unreachable')) break;
    kills += 1;
  }
  expect(kills).toBeGreaterThan(UNNAMED.length);
}, 120_000);
