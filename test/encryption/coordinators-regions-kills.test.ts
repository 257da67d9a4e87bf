import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { CoordinatorError, Coordinators } from '../../src/host/coordinator/index.ts';
import { embeddedHub, startHub } from '../../src/sync/index.ts';
import { folder, HUB_TOKEN, served, TOKEN } from '../coordinator/regions-support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import { closeAll, Keeper } from './coordinators.ts';
import type { RegionProcess } from './coordinators-regions.fixture.ts';
import { Canaries, key, open, until } from './parts.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 4);

const REGIONS = ['eu', 'us'] as const;

afterEach(closeAll);

/** What all processes have said of the calls of one coordinator. */
class Account {
  /** What was told: no count twice. */
  readonly counts = new Set<number>();
  /** Calls that were begun, less those of which it is known that they have not run. */
  begun = 0;
  twice: number[] = [];
  owner = 0;

  hear(what: string, rest: readonly string[]): void {
    if (what === 'calling') this.begun += 1;
    else if (what === 'failed') this.begun -= rest[0] === 'not-run' ? 1 : 0;
    else this.#hearTold(Number(rest[0]), Number(rest[1]));
  }

  #hearTold(count: number, owner: number): void {
    if (this.counts.has(count)) this.twice.push(count);
    this.counts.add(count);
    this.owner = owner;
  }
}

class Region {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  told = 0;
  #rest = '';

  constructor(fixture: string, options: RegionProcess, accounts: readonly Account[]) {
    this.#child = spawn(process.execPath, [fixture, JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdio[3]?.on('data', (bytes: Buffer) => {
      const lines = (this.#rest + bytes.toString()).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const [what = '', at = '', ...rest] of lines.map((line) => line.split(' '))) {
        if (what === 'told') this.told += 1;
        accounts[Number(at)]?.hear(what, rest);
      }
    });
    onTestFinished(() => this.kill());
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async more(count: number): Promise<void> {
    const goal = this.told + count;
    await until(() => this.told >= goal || this.#child.exitCode !== null);
    expect(this.#child.exitCode).toBeNull();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}

async function freePort(): Promise<number> {
  const { url, close } = await served(() => () => Promise.reject(new Error('nobody')));
  close();
  return Number(new URL(url).port);
}

/** A read, asked again while the hub or a region is too slow to answer. */
async function asked<T>(read: () => T | PromiseLike<T>): Promise<T> {
  for (;;) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof CoordinatorError) || error.outcome !== 'not-run') throw error;
    }
  }
}

test('owners in encrypted regions are killed at any time: no increment that was told is lost or told twice, another region goes on, and nothing is plain', { timeout: 120_000 + 60_000 * KILLS }, async () => {
  const fixture = await bundleFixture(new URL('coordinators-regions.fixture.ts', import.meta.url));
  const hubRoot = path.join(folder(), 'hub');
  const hub = await startHub({ root: hubRoot, token: HUB_TOKEN });
  onTestFinished(() => hub.close());
  const random = mulberry32(KILLS);
  const canaries = new Canaries();
  const [canary, host] = [canaries.new(), new Canaries()];
  const origin = `https://${host.new()}.example`;
  const ports = Object.fromEntries(await Promise.all(REGIONS.map(async (region) => [region, await freePort()] as const)));
  const accounts = [new Account(), new Account()];
  const roots = new Map(REGIONS.map((region) => [region, path.join(folder(), region)]));
  const start = (region: (typeof REGIONS)[number]): Region => new Region(fixture, { root: roots.get(region) ?? '', key: Buffer.from(key).toString('hex'), hub: hub.url, hubToken: HUB_TOKEN, token: TOKEN, ports, region, origin, canary }, accounts);
  const running = new Map(REGIONS.map((region) => [region, start(region)]));
  const requireNothingPlain = (): void => {
    for (const root of [hubRoot, ...roots.values()]) expect(fs.existsSync(root) ? canaries.foundIn(root) : []).toEqual([]);
    // How an origin is called its root shows, and the hub does not.
    expect(host.foundIn(hubRoot)).toEqual([]);
  };

  for (let kill = 0; kill < KILLS; kill += 1) {
    await Promise.all([...running.values()].map((region) => region.more(3)));
    await new Promise((resolve) => setTimeout(resolve, random() * 60));
    const account = accounts[kill % accounts.length] as Account;
    const owning = (): [(typeof REGIONS)[number], Region] | undefined => [...running].find(([, { pid }]) => pid === account.owner);
    // On a busy machine nobody may have been told yet who has it since the last one was killed.
    await until(() => owning() !== undefined);
    const [name, victim] = owning() ?? expect.unreachable();
    await victim.kill();
    // Whoever is left takes over what it ran.
    await Promise.all([...running].map(([region, each]) => (region === name ? undefined : each.more(4))));
    requireNothingPlain();
    running.set(name, start(name));
  }
  await Promise.all([...running.values()].map((region) => region.kill()));

  const client = embeddedHub({ url: hub.url, token: HUB_TOKEN });
  const coordinators = new Coordinators(open(path.join(folder(), 'heir')), { [canary]: Keeper }, { regions: { hub: client, region: 'heir', token: TOKEN, peers: Object.fromEntries(REGIONS.map((region) => [region, { url: `http://127.0.0.1:${ports[region]}/`, token: TOKEN }])), origin } });
  for (const [at, { counts, begun, twice }] of accounts.entries()) {
    const keeper = coordinators.get(origin, canary, `${canary} ${at}`) as unknown as Keeper;
    const count = Number(await asked(() => keeper.get('count')));
    expect(twice).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(Math.max(...counts));
    expect(count).toBeLessThanOrEqual(begun);
    expect(await asked(() => keeper.get(canary))).toBe(`${canary} ${count} `.repeat(1 + (count % 40) * 20));
    expect(await asked(() => keeper.getAlarm())).toBeGreaterThan(Date.now());
  }
  await coordinators.close();
  await client.close();
  await hub.close();
  requireNothingPlain();
});
