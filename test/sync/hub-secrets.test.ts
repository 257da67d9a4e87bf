import net from 'node:net';
import { once } from 'node:events';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import { natsHub, postgresHub } from '../../src/sync/index.ts';
import { freePort } from '../support/servers/server.ts';
import { everythingOf, expectRejection, rejection } from './hub-errors.ts';
import { hubProgramAlone, runHubProcess } from './hub-process.ts';

// What URLs write in another way, and regular expressions read as something else.
const SECRET = 'S3cret (pä/ss) $& .* "x"';
const IN_URL = encodeURIComponent(SECRET);
const forms = [SECRET, IN_URL, JSON.stringify(SECRET).slice(1, -1)];

/** A server that says what it gets to whoever sends it, as servers and clients may do in messages. */
async function echoServer(answer: (socket: net.Socket, received: Buffer) => void, greeting = ''): Promise<net.Server> {
  const server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(greeting);
    socket.on('data', (data: Buffer) => answer(socket, data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: net.Server): number {
  return (server.address() as net.AddressInfo).port;
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html: asks for a password, and repeats it in an error. */
function answerAsPostgres(socket: net.Socket, received: Buffer): void {
  if (received[0] !== 'p'.charCodeAt(0)) {
    socket.write(Buffer.from([...Buffer.from('R'), 0, 0, 0, 8, 0, 0, 0, 3]));
    return;
  }
  const password = received.subarray(5, -1).toString();
  const fields = Buffer.from(`SFATAL\0C28P01\0Mno ${password}, ${encodeURIComponent(password)}\0D${password}\0H${password}\0\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(fields.length + 4);
  socket.end(Buffer.concat([Buffer.from('E'), length, fields]));
}

/** https://docs.nats.io/reference/reference-protocols/nats-protocol: repeats the password of CONNECT in an error. */
function answerAsNats(socket: net.Socket, received: Buffer): void {
  const [, json] = /^CONNECT (\{.*\})/m.exec(received.toString()) ?? [];
  if (json === undefined) return;
  const { pass, auth_token: token } = JSON.parse(json) as { pass?: string; auth_token?: string };
  socket.end(`-ERR 'Authorization Violation ${pass ?? token}'\r\n`);
}

const postgres = await echoServer(answerAsPostgres);
const nats = await echoServer(answerAsNats, 'INFO {"server_id":"x","version":"2.9.10","max_payload":1048576,"auth_required":true,"headers":true,"proto":1}\r\n');
const servers = [postgres, nats];
const nobody = await freePort();

const logged: string[] = [];

beforeEach(() => {
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...words) => void logged.push(inspect(words, { depth: 10 })));
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  logged.length = 0;
});

afterAll(() => servers.forEach((server) => server.close()));

function expectNoSecret(...shown: readonly unknown[]): void {
  const text = [...logged, ...shown.map((each) => `${everythingOf(each)}\n${inspect(each, { depth: 10, showHidden: true })}`)].join('\n');
  for (const form of forms) expect(text).not.toContain(form);
}

/** Every way to give a password, by the engine and the port. */
const ways: readonly { readonly name: string; readonly port: () => number; readonly make: (port: number) => Hub }[] = [
  { name: "postgres' URL", port: () => portOf(postgres), make: (port) => postgresHub({ connectionString: `postgres://me:${IN_URL}@127.0.0.1:${port}/db` }) },
  { name: "postgres' URL's query", port: () => portOf(postgres), make: (port) => postgresHub({ connectionString: `postgres://me@127.0.0.1:${port}/db?password=${IN_URL}` }) },
  { name: "postgres' options", port: () => portOf(postgres), make: (port) => postgresHub({ connection: { host: '127.0.0.1', port, user: 'me', password: SECRET } }) },
  {
    name: "postgres' function",
    port: () => portOf(postgres),
    make: (port) => postgresHub({ connection: { host: '127.0.0.1', port, user: 'me', password: () => Promise.resolve(SECRET) } }),
  },
  { name: "nats' URL", port: () => portOf(nats), make: (port) => natsHub({ servers: `nats://me:${IN_URL}@127.0.0.1:${port}` }) },
  { name: "nats' password", port: () => portOf(nats), make: (port) => natsHub({ servers: `127.0.0.1:${port}`, user: 'me', pass: SECRET }) },
  { name: "nats' token", port: () => portOf(nats), make: (port) => natsHub({ servers: `127.0.0.1:${port}`, token: SECRET }) },
  { name: "nats' token in the URL", port: () => portOf(nats), make: (port) => natsHub({ servers: `nats://${IN_URL}@127.0.0.1:${port}` }) },
];

describe.each(ways)('a secret in $name', ({ port, make }) => {
  it('is not in the name', () => {
    const hub = make(port());
    expect(hub.name).toMatch(/^(postgres|nats) at 127\.0\.0\.1:\d+$/);
    expectNoSecret(hub.name, hub);
  });

  it('is not in the error when the server refuses it and repeats it', async () => {
    const hub = make(port());
    const error = await expectRejection(hub.connect(), 'hub-unauthorized');
    expect(error.cause).toBeInstanceOf(Error);
    expectNoSecret(error);
    await hub.close();
  });

  it('is not in the error when nobody is there', async () => {
    const hub = make(nobody);
    const errors = [await expectRejection(hub.connect(), 'hub-unreachable'), await expectRejection(hub.log(SECRET.slice(0, 3)).head(), 'hub-unreachable')];
    await hub.close();
    errors.push(await expectRejection(hub.connect(), 'closed'));
    expectNoSecret(...errors);
  });
});

describe('options that are not right', () => {
  const wrong: Readonly<Record<string, () => unknown>> = {
    'a connection string that is no URL': () => postgresHub({ connectionString: `postgres://me:${SECRET}@[` }),
    'a connection string of something else': () => postgresHub({ connectionString: `mysql://me:${IN_URL}@host/db` }),
    'an unknown option of postgres': () => postgresHub({ pasword: SECRET } as object),
    'a schema that is no identifier': () => postgresHub({ schema: `x"; drop schema y; --` }),
    'a pool without connections': () => postgresHub({ poolSize: 0 }),
    'options of postgres that are none': () => postgresHub(null as never),
    'an address that is none': () => natsHub({ servers: `nats://me:${IN_URL}@` }),
    'an address of something else': () => natsHub({ servers: `https://me:${IN_URL}@host` }),
    'no address': () => natsHub({ servers: [] }),
    'an unknown option of nats': () => natsHub({ password: SECRET } as object),
    'a prefix with a dot': () => natsHub({ prefix: 'a.b' }),
    'too many replicas': () => natsHub({ replicas: 6 }),
    'a password of nats that is none': () => natsHub({ pass: 5 as never }),
  };

  it.each(Object.keys(wrong))('%s: are refused at once, and not shown', async (name) => {
    const error = await rejection(Promise.resolve().then(wrong[name]));
    expect(error.code).toBe('bad-option');
    expectNoSecret(error);
  });
});

describe('what a log is asked with wrong arguments', () => {
  const hubs = { postgres: postgresHub({ connection: { host: '127.0.0.1', port: portOf(postgres) } }), nats: natsHub({ servers: `127.0.0.1:${portOf(nats)}` }) };

  it.each(['postgres', 'nats'] as const)('is refused by %s before it is asked', (engine) => {
    expect(() => hubs[engine].log('x'.repeat(513))).toThrow('512 are the most');
    expect(() => hubs[engine].log('x'.repeat(512))).not.toThrow();
  });
});

describe('a client package that is not installed', () => {
  it.each([
    ['postgres', 'npm install pg'],
    ['nats', 'npm install @nats-io/transport-node @nats-io/jetstream @nats-io/obj'],
  ])('of %s is named', async (engine, install) => {
    const said = await runHubProcess(await hubProgramAlone(), engine, {}, 'connect');
    expect(said).toContain('hub-incompatible: ');
    expect(said).toContain(`(${install})`);
  });
});
