import fs from 'node:fs';
import net from 'node:net';
import { once } from 'node:events';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { jetstreamManager, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Hub, HubLog } from '../../src/sync/hub.ts';
import { natsHub, type NatsHubOptions } from '../../src/sync/index.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startNats, type NatsServer, type NatsServerSettings } from '../support/servers/nats.ts';
import { expectRejection } from './hub-errors.ts';
import { hubProgram, runHubProcess } from './hub-process.ts';

const { server, missing } = await tryStart(() => startNats());

/** Milliseconds, for machines that are busy. */
const patience = { timeout: 30_000 };

const entry = (text: string, bytes = new TextEncoder().encode(text)) => ({ id: `${crypto.randomUUID()}.1`, bytes });

const open: Hub[] = [];

function hubAt(at: NatsServer, options: NatsHubOptions = {}): Hub {
  const made = natsHub({ servers: at.url, user: at.user, pass: at.password, ...options });
  open.push(made);
  return made;
}

async function textsOf(log: HubLog, after = 0): Promise<string[]> {
  const texts: string[] = [];
  for (let more = await log.read(after, 1000); more.length > 0; more = await log.read(after + texts.length, 1000)) {
    texts.push(...more.map(({ bytes }) => new TextDecoder().decode(bytes)));
  }
  return texts;
}

afterEach(async () => {
  await Promise.all(open.splice(0).map((hub) => hub.close()));
});

describe('a hub in a NATS JetStream', () => {
  if (server === null) {
    reportSkipped('nats', missing);
    return;
  }
  afterAll(() => server.dispose());
  describe('whose stream somebody changes', () => streamTests(server));
  describe('with much to do', () => workTests(server));
  describe('on a server with other settings', settingsTests);
});

function streamTests(nats: NatsServer): void {
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let prefix = '';
  let count = 0;

  beforeAll(async () => {
    connection = await connect({ servers: nats.url, user: 'admin', pass: nats.password });
    manager = await jetstreamManager(connection);
  });
  afterAll(() => connection.close());

  async function hub(): Promise<Hub> {
    const made = hubAt(nats, { prefix });
    await made.connect();
    return made;
  }

  function newPrefix(): void {
    prefix = `changed-${++count}`;
  }

  async function subjectOf(name: string): Promise<string> {
    const { epoch } = await (await hub()).log(name).head();
    const info = await manager.streams.info(prefix, { subjects_filter: `${prefix}.log.*.${epoch}` });
    return Object.keys(info.state.subjects ?? {})[0] ?? '';
  }

  it('gives a log of a stream that was deleted a new epoch, which those who knew the old one go on in', async () => {
    newPrefix();
    const [one, other] = [(await hub()).log('a'), (await hub()).log('a')];
    await one.append([entry('old 1'), entry('old 2')]);
    const { epoch } = await one.head();
    await manager.streams.delete(prefix);
    // The new stream has the same sequence numbers as the one that the first client knows.
    await (await hub()).log('a').append([entry('new 1')]);
    await one.append([entry('new 2')]);
    expect(await textsOf(other)).toEqual(['new 1', 'new 2']);
    const heads = [await one.head(), await other.head()];
    expect(heads[0]).toEqual(heads[1]);
    expect(heads[0]?.epoch).not.toBe(epoch);
  });

  it('makes the stream again for whoever only reads', async () => {
    newPrefix();
    const log = (await hub()).log('a');
    await log.append([entry('x')]);
    await manager.streams.delete(prefix);
    expect(await log.read(0, 10)).toEqual([]);
    expect((await log.head()).position).toBe(0);
  });

  it('gives a log whose messages were all removed a new epoch', async () => {
    newPrefix();
    const log = (await hub()).log('a');
    await log.append([entry('x')]);
    const { epoch } = await log.head();
    await manager.streams.purge(prefix, { filter: await subjectOf('a') });
    await log.append([entry('y')]);
    expect(await textsOf(log)).toEqual(['y']);
    expect((await log.head()).epoch).not.toBe(epoch);
  });

  it('skips nothing where messages were removed: what comes next is trimmed', async () => {
    newPrefix();
    const log = (await hub()).log('a');
    for (const text of ['1', '2', '3', '4', '5']) await log.append([entry(text)]);
    const subject = await subjectOf('a');
    const third = await manager.streams.getMessage(prefix, { last_by_subj: subject });
    await manager.streams.deleteMessage(prefix, (third?.seq ?? 0) - 2);
    const got = await log.read(0, 10);
    expect(got.map(({ position }) => position)).toEqual([1, 2]);
    await expectRejection(log.read(2, 10), 'hub-trimmed');
    expect(await textsOf(log, 3)).toEqual(['4', '5']);
  });

  it('is refused when it is in memory, and said to drop entries when it does', async () => {
    newPrefix();
    const subjects = [`${prefix}.epoch.*`, `${prefix}.log.*.*`, `${prefix}.snapshot.*.*`];
    const make = (config: object) => manager.streams.add({ name: prefix, subjects, ...config } as Partial<StreamConfig> & { name: string });
    await make({ storage: 'memory' });
    await expectRejection(hub(), 'hub-incompatible', /keeps messages in memory/);
    await manager.streams.delete(prefix);
    await make({ storage: 'file', max_age: 3600e9 });
    const { warnings, notifies } = await hubAt(nats, { prefix }).connect();
    expect(warnings.join()).toMatch(/drops old entries by itself \(max_age\)/);
    expect(notifies, 'it repeats nothing').toBe(false);
  });
}

function workTests(nats: NatsServer): void {
  const newLog = async (name: string = crypto.randomUUID()) => {
    const hub = hubAt(nats);
    const capabilities = await hub.connect();
    return { log: hub.log(name), capabilities, name };
  };

  it('says what the server weakens', async () => {
    const { capabilities } = await newLog();
    expect(capabilities).toMatchObject({ durability: 'killed', dedupe: 'for-a-time', notifies: true });
    const said = capabilities.warnings.join('\n');
    for (const weakness of [/one replica/, /sync_interval/, /two minutes|2 minutes/]) expect(said).toMatch(weakness);
  });

  it('appends a batch that is larger than a message in one piece, and forgets it whole', async () => {
    const { log, capabilities, name } = await newLog();
    await log.append([entry('before')]);
    const large = Array.from({ length: 5 }, (_, index) => entry('', new Uint8Array(capabilities.maxEntryBytes).fill(index)));
    expect(await log.append(large)).toBe(6);
    await log.append(large);
    const { log: other } = await newLog(name);
    await other.append(large);
    const read = await other.read(0, 100);
    expect(read.map(({ bytes }) => [bytes.length, bytes[0]])).toEqual([[6, 98], ...large.map(({ bytes }, index) => [bytes.length, index])]);
    expect(await objectsOfBatches()).toBe(1);
    await log.append([entry('after')]);
    await log.putSnapshot({ position: 7, bytes: new Uint8Array(1) });
    await log.trim(6);
    expect(await textsOf(other, 6)).toEqual(['after']);
    expect(await objectsOfBatches()).toBe(0);
  });

  async function objectsOfBatches(): Promise<number> {
    const connection = await connect({ servers: nats.url, user: 'admin', pass: nats.password });
    try {
      const { Objm } = await import('@nats-io/obj');
      const objects = await (await new Objm(connection).open('holdfast')).list();
      return objects.filter(({ name }) => name.includes('/batch/')).length;
    } finally {
      await connection.close();
    }
  }

  it('appends thousands of entries in one call, whose ids do not fit into headers', async () => {
    const { log } = await newLog();
    const many = Array.from({ length: 3000 }, (_, index) => ({ id: `${index}-${'x'.repeat(50)}`, bytes: new Uint8Array(0) }));
    expect(await log.append(many)).toBe(3000);
    expect(await log.append(many)).toBe(3000);
    expect((await textsOf(log)).length).toBe(3000);
  });

  it('appends of a batch that is there in part only the rest, also by a client that comes later', async () => {
    const { log, name } = await newLog();
    const [a, b, c] = ['a', 'b', 'c'].map((text) => entry(text)) as [ReturnType<typeof entry>, ReturnType<typeof entry>, ReturnType<typeof entry>];
    await log.append([a, b]);
    const { log: later } = await newLog(name);
    await later.append([b, c, c]);
    expect(await textsOf(log)).toEqual(['a', 'b', 'c']);
  });

  it('lets everybody have a turn while one appends without pause', async () => {
    const { log: greedy, name } = await newLog();
    const { log: modest } = await newLog(name);
    let going = true;
    let greedyCount = 0;
    const running = (async () => {
      for (; going; greedyCount++) await greedy.append([entry('greedy')]);
    })();
    await expect.poll(() => greedyCount, patience).toBeGreaterThan(0);
    for (let turn = 0; turn < 20; turn++) await modest.append([entry('modest')]);
    going = false;
    await running;
    expect((await textsOf(modest)).filter((text) => text === 'modest').length).toBe(20);
  });

  it('keeps positions without gaps when a client trims and appends at once, and others append too', async () => {
    const { log, name } = await newLog();
    const { log: other } = await newLog(name);
    await log.append([entry('first')]);
    await log.putSnapshot({ position: 1, bytes: new Uint8Array(1) });
    let going = true;
    let count = 1;
    const otherEnded = (async () => {
      for (; going; count++) await other.append([entry('other')]);
    })();
    const trimEnded = (async () => {
      while (going) await log.trim(1);
    })();
    for (let round = 0; round < 8; round++) {
      // Larger than a message, so that much happens between its making and its publishing.
      await log.append(Array.from({ length: 3 }, () => entry('', new Uint8Array(500_000))));
      count += 3;
    }
    going = false;
    await Promise.all([otherEnded, trimEnded]);
    expect((await log.head()).position).toBe(count);
    expect((await textsOf(log, 1)).length).toBe(count - 1);
  });

  it('reads a long log from anywhere, in few steps', async () => {
    const { log, name } = await newLog();
    for (let batch = 0; batch < 300; batch++) await log.append(Array.from({ length: 1 + (batch % 3) }, (_, index) => entry(`${batch} ${index}`)));
    const all = await textsOf(log);
    expect(all.length).toBe(600);
    const { log: other } = await newLog(name);
    for (const after of [599, 1, 300, 301, 302, 77, 450]) expect(await textsOf(other, after)).toEqual(all.slice(after));
  });

  it('keeps no process alive, be the server there or away', async () => {
    const program = await hubProgram();
    const options = { servers: nats.url, user: nats.user, pass: nats.password };
    expect(await runHubProcess(program, 'nats', options, 'idle')).toBe('idle');
    expect(await runHubProcess(program, 'nats', options, 'wait', () => nats.kill())).toBe('idle');
    await nats.restart();
  });
}

function settingsTests(): void {
  async function onServer<T>(settings: NatsServerSettings, use: (nats: NatsServer) => Promise<T>): Promise<T> {
    const nats = await startNats(settings);
    try {
      return await use(nats);
    } finally {
      await nats.dispose();
    }
  }

  it('refuses one without JetStream', async () => {
    await onServer({ jetstream: false }, async (nats) => {
      await expectRejection(hubAt(nats).connect(), 'hub-incompatible', /JetStream is not switched on/);
    });
  });

  it('refuses one whose messages are too small', async () => {
    await onServer({ lines: 'max_payload: 65536' }, async (nats) => {
      await expectRejection(hubAt(nats).connect(), 'hub-incompatible', /max_payload/);
    });
  });

  it('refuses a password that is wrong', async () => {
    await onServer({}, async (nats) => {
      await expectRejection(hubAt(nats, { pass: 'wrong' }).connect(), 'hub-unauthorized');
    });
  });

  it('refuses one that is too old', async () => {
    // Everything up to its version is as a nats-server says it.
    const old = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('INFO {"server_id":"x","version":"2.8.4","max_payload":1048576,"headers":true,"jetstream":true,"proto":1}\r\n');
      socket.on('data', (data: Buffer) => data.includes('PING\r\n') && socket.write('PONG\r\n'));
    });
    old.listen(0, '127.0.0.1');
    await once(old, 'listening');
    const { port } = old.address() as net.AddressInfo;
    const hub = natsHub({ servers: `127.0.0.1:${port}` });
    await expectRejection(hub.connect(), 'hub-incompatible', /nats-server 2\.8\.4; it has to be 2\.9 or later/);
    await hub.close();
    old.close();
  });

  it('works in full with the documented permissions, once the stream is there', async () => {
    const text = fs.readFileSync(new URL('../../docs/NATS.md', import.meta.url), 'utf8');
    const [, permissions = ''] = /^```\n(\{\n {2}publish[^`]*)^```/m.exec(text) ?? [];
    await onServer({ permissions }, async (nats) => {
      await expectRejection(hubAt(nats).connect(), 'hub-unauthorized', /docs\/NATS\.md/);
      await hubAt(nats, { user: 'admin' }).connect();
      const hub = hubAt(nats);
      const { maxEntryBytes } = await hub.connect();
      const log = hub.log('a');
      let news = 0;
      log.subscribe(() => (news += 1));
      for (const text of ['1', '2', '3', '4', '5', '6']) await log.append([entry(text)]);
      await log.append([entry('', new Uint8Array(maxEntryBytes)), entry('', new Uint8Array(maxEntryBytes))]);
      await log.putSnapshot({ position: 7, bytes: new Uint8Array(200_000) });
      await log.putSnapshot({ position: 8, bytes: new Uint8Array(300_000) });
      expect((await log.snapshot())?.bytes.length).toBe(300_000);
      expect((await log.read(0, 100)).length).toBe(8);
      await log.trim(8);
      expect(await log.head()).toMatchObject({ position: 8, first: 9 });
      await log.putBlob('aa', new Uint8Array(200_000));
      expect([...(await log.hasBlobs(['aa', 'bb']))]).toEqual(['aa']);
      expect((await log.getBlob('aa'))?.length).toBe(200_000);
      await expect.poll(() => news, patience).toBeGreaterThan(0);
    });
  });
}
