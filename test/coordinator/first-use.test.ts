/** What programs do that were written with nothing but the documentation at hand. */
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MovedError } from '../../src/coordinator/errors.ts';
import { Connection } from '../../src/coordinator/sockets/connection.ts';
import { encodeFrame } from '../../src/coordinator/sockets/frames.ts';
import { REPLY } from '../../src/coordinator/sockets/messages.ts';
import { Peer } from '../../src/coordinator/sockets/peer.ts';
import { SocketTransport } from '../../src/coordinator/sockets/socket-transport.ts';
import { writeValue } from '../../src/disk/values/write-value.ts';
import { Coordinator, Coordinators, testCoordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorClass, Stub } from '../../src/host/coordinator/index.ts';
import { openHost, thrownBy } from '../host/support.ts';
import { later, open, refusal } from './counter.ts';

const ORIGIN = 'https://app.example';

class Log extends Coordinator {
  add(entry: string): string {
    const log = `${this.localStorage.getItem('log') ?? ''}${entry}`;
    this.localStorage.setItem('log', log);
    return log;
  }

  async slow(begun: string): Promise<string> {
    started.get(begun)?.();
    await later(20);
    return `${begun} has ended`;
  }

  undone(): number | null {
    this.state.setAlarm(5e12);
    try {
      this.state.transaction(() => {
        this.state.transaction(() => this.state.deleteAlarm());
        this.state.setAlarm(6e12);
        throw new Error('no');
      });
    } catch {
      // That is what it is about.
    }
    return this.state.getAlarm();
  }

  keep(): void {
    this.state.waitUntil(undefined as never);
    this.state.waitUntil(Promise.reject(new Error('no')));
  }

  override fetch(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (pathname === '/error') return Response.error();
    if (pathname === '/text') return 'text' as never;
    return pathname === '/nothing' ? (undefined as never) : new Response(this.add(pathname));
  }

  override alarm(): void {
    this.localStorage.clear();
  }
}

const started = new Map<string, () => void>();

function serve(Class: CoordinatorClass): { here: Coordinators; there: Coordinators } {
  const { root } = openHost();
  const here = new Coordinators(openHost({ root }), { Class });
  const there = new Coordinators(openHost({ root }), {}, { patience: 3000 } as never);
  onTestFinished(async () => {
    await here.close();
    await there.close();
  });
  return { here, there };
}

const stubOf = <Object extends Coordinator>(coordinators: Coordinators, name = 'a'): Stub<Object> => coordinators.get<Object>(ORIGIN, 'Class', name);

test('what a call has come to reaches its caller, though the process that ran it is closed', async () => {
  const { here, there } = serve(Log);
  const stub = stubOf<Log>(there);
  await stub.add('begun');
  const begun = new Promise<void>((resolve) => started.set('this', resolve));
  const result = stub.slow('this');
  await begun;
  await here.close();
  expect(await result).toBe('this has ended');
});

describe('a coordinator that cannot begin', () => {
  let isBroken = true;

  class Throws extends Coordinator {
    constructor(state: Coordinator['state']) {
      super(state);
      if (isBroken) throw new RangeError('no luck', { cause: 'at all' });
    }

    hi(): string {
      return 'hi';
    }
  }

  class Blocks extends Coordinator {
    readonly ready = this.state.blockConcurrencyWhile(() => {
      if (isBroken) throw new RangeError('no luck');
    });

    hi(): string {
      return 'hi';
    }
  }

  class Awaits extends Coordinator {
    readonly ready = this.state.blockConcurrencyWhile(async () => {
      await later(5);
      if (isBroken) throw new RangeError('no luck');
    });

    hi(): string {
      return 'hi';
    }
  }

  test.each([Throws, Blocks, Awaits])('%o tells its callers why, also those elsewhere, and begins with the next call', async (Class) => {
    const { here, there } = serve(Class);
    for (const [name, coordinators] of Object.entries({ here, there })) {
      isBroken = true;
      const stub = stubOf<Throws>(coordinators, name);
      const error = { name: 'HoldfastError', code: 'coordinator-reset', outcome: 'not-run', cause: { name: 'RangeError', message: 'no luck' } };
      expect(await Promise.all([refusal(stub.hi()), refusal(stub.hi())])).toMatchObject([error, error]);
      isBroken = false;
      expect(await stub.hi()).toBe('hi');
    }
  });
});

test('requests without a body begin in their order among all calls', async () => {
  const log = open({ Log }).get(Log, 'a');
  await Promise.all([log.fetch('https://x.example/1'), log.add('2'), log.fetch('https://x.example/3'), log.add('4')]);
  expect(await log.add('')).toBe('/12/34');
});

test('what fetch() gives that is no Response is told, and Response.error() is given', async () => {
  const log = open({ Log }).get(Log, 'a');
  for (const what of ['text', 'nothing']) expect(await refusal(log.fetch(`https://x.example/${what}`))).toMatchObject({ name: 'TypeError', message: 'What fetch() of a coordinator returns is a Response.', remote: true });
  expect(await log.fetch('https://x.example/error')).toMatchObject({ type: 'error', status: 0 });
});

test('a stub that is written down calls nobody', async () => {
  const { get, coordinators, host } = open({ Log });
  expect([JSON.stringify({ stub: get(Log, 'a') }), String(get(Log, 'a'))]).toEqual(['{"stub":{}}', '[object Stub]']);
  for await (const each of coordinators.list()) expect(each).toBe(undefined);
  expect(host.stats().origins).toBe(0);
});

test('an alarm that is set in a transaction that throws is not set', async () => {
  expect(await open({ Log }).get(Log, 'a').undone()).toBe(5e12);
});

test('waitUntil() of what is no promise keeps nothing in memory', async () => {
  const { get, inside, advance } = open({ Log });
  const log = get(Log, 'a');
  await log.keep();
  await advance(20_000);
  expect(() => inside(log, () => 'alive')).toThrow('call it first');
});

test('what was written beside all calls is stored before an instance is given up', async () => {
  const { get, inside, evict } = open({ Log });
  const log = get(Log, 'a');
  await log.add('1');
  inside(log, (object) => object.localStorage.setItem('log', 'beside'));
  await evict(log);
  expect(await log.add('!')).toBe('beside!');
});

test('options that make no sense are refused', async () => {
  expect(thrownBy(() => new Coordinators({} as never, { Log })).code).toBe('bad-option');
  expect(thrownBy(() => testCoordinators({ Log }, { rot: '/tmp' } as never)).message).toContain("no option 'rot'");
  const { coordinators } = open({ Log });
  expect(await refusal(coordinators.list({ orgin: ORIGIN } as never).next())).toMatchObject({ code: 'bad-option' });
});

describe('a large frame that is long under way is no silence:', () => {
  test('of whoever sends it', async () => {
    const reply = encodeFrame([REPLY, 1, 'value'], writeValue('x'.repeat(40)));
    const server = net.createServer((socket) => {
      let at = 0;
      const drip = setInterval(() => (at < reply.length ? socket.write(reply.subarray(at, (at += 1))) : clearInterval(drip)), 10);
      socket.on('error', () => clearInterval(drip)).on('close', () => clearInterval(drip));
    });
    onTestFinished(() => void server.close());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    const peer = new Peer(socket, { suspectAfter: 100, onEnd: () => undefined });
    onTestFinished(() => peer.end());
    const call = { caller: 1, number: 1, got: 0, isAgain: false, method: 'm', args: new Uint8Array(0), chain: [] };
    const answer = await new Promise((resolve) => peer.call({ origin: ORIGIN, className: 'Class', name: 'a' }, call, { resolve, reject: resolve }));
    expect(answer).not.toBeInstanceOf(MovedError);
    expect(answer).toMatchObject({ kind: 'value' });
  });

  test('of whoever is sent it', async () => {
    const directory = path.join(openHost().root, 's');
    const serve = { call: () => undefined, activities: () => [] };
    const transport = new SocketTransport({ directory, prepare: () => undefined, classes: [], namesClasses: true, serve, suspectAfter: 50 });
    await transport.ready();
    onTestFinished(() => transport.close());
    const socket = net.connect(path.join(directory, transport.address));
    await once(socket, 'connect');
    const heard = once(socket, 'data');
    const connection = new Connection(socket, () => undefined, () => clearInterval(drip));
    const drip = setInterval(() => socket.write(socket.bytesWritten === 0 ? Uint8Array.of(0, 0, 1, 0) : Uint8Array.of(0)), 10);
    onTestFinished(() => connection.end());
    expect(await heard).toHaveLength(1);
  });
});
