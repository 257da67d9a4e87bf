import fs from 'node:fs';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { ObjectStore } from '@nats-io/obj';
import type { ConnectionOptions, MsgHdrs, NatsConnection } from '@nats-io/transport-node';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { clearInterval, nextTurn, setInterval } from '../../../runtime/timers.ts';
import { Lifetime } from '../lifetime.ts';
import type { NatsSettings } from './options.ts';
import { prepare, requireVersion, type Prepared } from './stream.ts';

/** Milliseconds for a connection to come about, and for an answer. */
const CONNECT_TIMEOUT = 10_000;
const ANSWER_TIMEOUT = 10_000;

/** Milliseconds between two looks at whether the connection still works. */
const HEARTBEAT = 15_000;

/** One connection, from its beginning to its end, with what works over it. */
export interface Session {
  readonly connection: NatsConnection;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  readonly store: ObjectStore;
  readonly lifetime: Lifetime;
  readonly maxPayload: number;
  /** What the stream is like. */
  readonly prepared: Prepared;
  headers(): MsgHdrs;
  /** Makes again what was deleted. */
  prepareAgain(): Promise<void>;
}

async function loadClient() {
  try {
    // Each by itself, for then bundlers see that it may be missing.
    const transport = await import(/* webpackIgnore: true */ '@nats-io/transport-node');
    const jet = await import(/* webpackIgnore: true */ '@nats-io/jetstream');
    const store = await import(/* webpackIgnore: true */ '@nats-io/obj');
    return [transport, jet, store] as const;
  } catch (cause) {
    const packages = '@nats-io/transport-node @nats-io/jetstream @nats-io/obj';
    throw new HoldfastError('hub-incompatible', `natsHub() needs the packages ${packages}: install them beside holdfast (npm install ${packages}).`, { cause });
  }
}

function readCredentials({ creds, secrets }: NatsSettings): Uint8Array | undefined {
  if (creds === undefined) return undefined;
  let text: string;
  try {
    text = fs.readFileSync(creds, 'utf8');
  } catch (cause) {
    throw new HoldfastError('hub-unauthorized', `The credentials file ${creds} cannot be read.`, { cause });
  }
  secrets.add(text, ...text.split(/\r?\n/).filter((line) => line.length > 10 && !line.startsWith('-')));
  return Buffer.from(text);
}

/** What the client does not know it leaves out by itself, but not what is undefined. */
function connectionOptions({ servers, user, pass, token, tls }: NatsSettings): ConnectionOptions {
  const credentials = Object.fromEntries(Object.entries({ user, pass, token, tls }).filter(([, value]) => value !== undefined));
  // Reconnecting is the hub's own affair, for the client's would keep the process alive and holds back what is asked
  // meanwhile.
  return { servers: [...servers], ...credentials, name: 'holdfast', reconnect: false, timeout: CONNECT_TIMEOUT };
}

/** What the client has no option for. Where its inside has changed, nothing is done. */
interface Inside {
  readonly protocol?: {
    readonly transport?: { readonly socket?: { unref?(): void; on?(event: 'error', listener: () => void): void } };
    readonly heartbeats?: { cancel?(): void };
  };
}

/** Lets the process end although the connection is open; else it lives until the hub is closed. */
function keepNothingAlive({ protocol }: Inside): void {
  protocol?.transport?.socket?.unref?.();
  protocol?.heartbeats?.cancel?.();
}

/**
 * The client takes its listeners from the socket as it closes, even where the error of a write in the same turn is yet to
 * be told: one that nothing hears ends the process.
 */
function hearLateErrors(connection: NatsConnection): void {
  const socket = (connection as unknown as Inside).protocol?.transport?.socket;
  void connection.closed().then(() => socket?.on?.('error', () => undefined));
}

/** In a turn in which nothing was written over it, so that the client has heard of every write that failed. */
export async function closeConnection(connection: NatsConnection): Promise<void> {
  await nextTurn();
  await connection.close();
}

/** In place of the client's heartbeats, whose timers keep the process alive. */
function watchConnection(connection: NatsConnection): void {
  let answered = true;
  const timer = setInterval(() => {
    if (!answered) return void closeConnection(connection);
    answered = false;
    connection.flush().then(
      () => (answered = true),
      () => undefined,
    );
  }, HEARTBEAT).unref();
  void connection.closed().then(() => clearInterval(timer));
}

/**
 * Connects and makes what is missing.
 *
 * @throws HoldfastError; errors of the client
 */
export async function openSession(settings: NatsSettings, name: string): Promise<Session> {
  const [transport, jet, { Objm }] = await loadClient();
  const credentials = readCredentials(settings);
  const authenticator = credentials === undefined ? {} : { authenticator: transport.credsAuthenticator(credentials) };
  const connection = await transport.connect({ ...connectionOptions(settings), ...authenticator });
  const lifetime = new Lifetime(() => new HoldfastError('hub-unreachable', `The connection to the hub ${name} was lost.`));
  void connection.closed().then(() => lifetime.end());
  keepNothingAlive(connection as unknown as Inside);
  hearLateErrors(connection);
  try {
    requireVersion(connection.info?.version, name);
    const jetstream = jet.jetstream(connection, { timeout: ANSWER_TIMEOUT });
    const manager = await jet.jetstreamManager(connection, { timeout: ANSWER_TIMEOUT });
    const makeAll = () => prepare(manager, new Objm(jetstream), settings, name);
    const { store, ...prepared } = await makeAll();
    watchConnection(connection);
    const maxPayload = connection.info?.max_payload ?? 0;
    const prepareAgain = async () => void (await makeAll());
    return { connection, jetstream, manager, store, lifetime, maxPayload, prepared, headers: transport.headers, prepareAgain };
  } catch (error) {
    await closeConnection(connection);
    throw error;
  }
}
