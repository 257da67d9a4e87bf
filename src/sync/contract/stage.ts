import assert from 'node:assert/strict';
import { isUint8Array } from '../../runtime/byte-brands.ts';
import { isError } from '../../runtime/errors.ts';
import type { HoldfastErrorCode } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import { delay, wallClock } from '../../runtime/timers.ts';
import type { Hub, HubCapabilities, HubEntry, HubLog, NewEntry } from '../hub.ts';
import type { ContractSetup } from './contract.ts';
import { notRun } from './not-run.ts';

/** How long a test waits for what must happen some time before it gives up, unless the setup says otherwise, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Between two looks at whether it has happened, in milliseconds. */
const LOOK_AGAIN_MS = 20;

/** A client that is connected. */
export interface Client {
  readonly hub: Hub;
  readonly capabilities: HubCapabilities;
}

/** What one test opens; it is closed when the test is over. */
export class Stage {
  readonly #setup: ContractSetup;
  readonly #hubs: Hub[] = [];

  constructor(setup: ContractSetup) {
    this.#setup = setup;
  }

  /** A further client of the engine, connected. */
  async client(): Promise<Client> {
    const hub = await this.#setup.hub();
    this.#hubs.push(hub);
    return { hub, capabilities: await hub.connect() };
  }

  /** A log that is nobody else's, through a client of its own. */
  async log(name = newName()): Promise<HubLog> {
    const { hub } = await this.client();
    return hub.log(name);
  }

  /** One and the same new log through several clients. */
  async logs(count: number): Promise<HubLog[]> {
    const name = newName();
    return Promise.all(Array.from({ length: count }, () => this.log(name)));
  }

  /** One and the same new log through two clients. */
  async pair(): Promise<[HubLog, HubLog]> {
    const name = newName();
    return [await this.log(name), await this.log(name)];
  }

  /** A new log of the engine that takes no more than so many bytes of blobs that no append names. */
  async bounded(): Promise<{ log: HubLog; unnamedBytes: number }> {
    const { bounded } = this.#setup;
    if (bounded === undefined) notRun('this engine has no bound on blobs that nothing names');
    const hub = await bounded.hub();
    this.#hubs.push(hub);
    await hub.connect();
    return { log: hub.log(newName()), unnamedBytes: bounded.unnamedBytes };
  }

  /** Kills the server and starts it again; where that cannot be done, ends the test as not run. */
  get crash(): () => Promise<void> {
    const { crash } = this.#setup;
    if (crash === undefined) notRun('this engine cannot be killed by the tests');
    return () => crash.call(this.#setup);
  }

  get #patience(): number {
    return this.#setup.patienceMs ?? PATIENCE_MS;
  }

  /** Repeats a call for as long as the hub is away, as a replica does. */
  async persist<T>(call: () => Promise<T>): Promise<T> {
    for (const end = wallClock() + this.#patience; ; await delay(LOOK_AGAIN_MS)) {
      try {
        return await call();
      } catch (error) {
        if (wallClock() > end) throw error;
        assertCode(error, 'hub-unreachable', 'a call while the server was away');
      }
    }
  }

  /** Waits for a condition; `stir` is done again and again until it holds. */
  async until(condition: () => boolean, what: string, stir: () => Promise<unknown> = () => Promise.resolve()): Promise<void> {
    for (const end = wallClock() + this.#patience; !condition(); await delay(LOOK_AGAIN_MS)) {
      assert.ok(wallClock() < end, `waited in vain until ${what}`);
      await stir();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#hubs.map((hub) => hub.close()));
  }
}

/** The name of a log that nobody has used. */
export function newName(): string {
  return `contract ${randomUuid()}`;
}

/** An entry with an id of its own that says `text`. */
export function entry(text: string): NewEntry {
  return { id: `${randomUuid()}.1`, bytes: bytesOf(text) };
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

/** Bytes that look random, and are the same for the same length. */
export function noise(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = length + 1;
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    words[index] = state ^ (state >>> 15);
  }
  return new Uint8Array(words.buffer, 0, length);
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

/** Every entry after a position, by as many reads as it takes; each must go on where the one before ended. */
export async function readAll(log: HubLog, after = 0, limit = 1000): Promise<HubEntry[]> {
  const all: HubEntry[] = [];
  for (;;) {
    const got = await log.read(after + all.length, limit);
    if (got.length === 0) return all;
    assert.ok(got.length <= limit, `read gave ${got.length} entries where at most ${limit} were asked for`);
    for (const each of got) assert.equal(each.position, after + all.push(each), 'read left out a position, or gave one twice');
  }
}

export async function readTexts(log: HubLog, after = 0): Promise<string[]> {
  return (await readAll(log, after)).map(({ bytes }) => textOf(bytes));
}

export function assertBytes(actual: Uint8Array | null | undefined, expected: Uint8Array, what: string): void {
  assert.ok(isUint8Array(actual), `${what}: there is none`);
  assert.equal(Buffer.compare(actual, expected), 0, `${what}: other bytes came back than were given`);
}

/** Fails unless the call rejects with a HoldfastError of this code. */
export async function assertRejects(call: Promise<unknown>, code: HoldfastErrorCode, what: string): Promise<void> {
  const error = await call.then(
    () => assert.fail(`${what}: it should have rejected with '${code}'`),
    (reason: unknown) => reason,
  );
  assertCode(error, code, what);
}

export function assertCode(error: unknown, code: HoldfastErrorCode, what: string): void {
  assert.ok(isError(error), `${what}: rejected with something that is no error`);
  assert.equal(error.name, 'HoldfastError', `${what}: rejected with ${error.stack}`);
  assert.equal((error as { code?: unknown }).code, code, `${what}: rejected with ${error.stack}`);
}
