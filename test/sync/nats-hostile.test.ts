import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { headers, connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import type { HubLog } from '../../src/sync/hub.ts';
import { logDigest } from '../../src/sync/hubs/log-names.ts';
import { Courtesy } from '../../src/sync/hubs/nats/courtesy.ts';
import type { Session } from '../../src/sync/hubs/nats/session.ts';
import { natsHub } from '../../src/sync/index.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startNats, type NatsServer } from '../support/servers/nats.ts';
import { expectRejection } from './hub-errors.ts';

const { server, missing } = await tryStart(() => startNats());

const BLOB = 'ab'.repeat(32);

/** What somebody with the password publishes. */
interface Hostile {
  readonly to: 'log' | 'epoch' | 'snapshot' | 'blob' | 'news' | 'courtesy';
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

const word = fc.oneof(fc.constantFrom('1', '2', '0', '-1', '1e9', '99999999999999999999', 'null', '{}', '[]', '""', '*', '>', '..'), fc.string({ maxLength: 6 }));
const json = fc.oneof(
  fc.json(),
  fc.record({ nuid: word, deleted: fc.boolean(), size: fc.integer(), chunks: fc.constant(0), name: word, bucket: word, digest: fc.oneof(word, fc.constant('SHA-256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=')), options: fc.option(fc.record({ link: fc.option(fc.record({ name: fc.oneof(word, fc.constant(''))  }), { nil: null }) })), metadata: fc.oneof(word, fc.constant(null), fc.dictionary(word, word)) }).map((info) => JSON.stringify(info)),
  fc.record({ position: fc.oneof(fc.integer(), word), object: word, previous: word }).map((pointer) => JSON.stringify(pointer)),
  fc.record({ client: fc.oneof(word, fc.integer()), holds: fc.oneof(fc.integer({ max: 20 }), word) }).map((request) => JSON.stringify(request)),
);
// A header is a line.
const line = fc.oneof(fc.array(word, { maxLength: 5 }).map((words) => words.join(' ')), word).map((text) => text.replace(/[\r\n]/g, '_'));
const hostile: fc.Arbitrary<Hostile> = fc.record({
  to: fc.constantFrom('log', 'epoch', 'snapshot', 'blob', 'news', 'courtesy'),
  headers: fc.array(fc.tuple(fc.constantFrom('Holdfast', 'Holdfast-Ids', 'Holdfast-Object', 'Holdfast-Log', 'Nats-Rollup', 'X'), line), { maxLength: 3 }),
  body: fc.oneof(json, fc.string(), word),
});

describe('a log in a NATS JetStream to which somebody publishes what makes no sense', () => {
  if (server === null) {
    reportSkipped('nats', missing);
    return;
  }
  const nats: NatsServer = server;
  let connection: NatsConnection;

  beforeAll(async () => {
    connection = await connect({ servers: nats.url, user: 'admin', pass: nats.password });
  });
  afterAll(async () => {
    await connection.close();
    await nats.dispose();
  });

  function publish({ to, headers: given, body }: Hostile, key: string, epoch: string, prefix = 'hostile'): void {
    const blob = Buffer.from(`${key}/blob/${BLOB}`).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    const subjects = { log: `${prefix}.log.${key}.${epoch}`, epoch: `${prefix}.epoch.${key}`, snapshot: `${prefix}.snapshot.${key}.${epoch}`, blob: `$O.${prefix}.M.${blob}`, news: `${prefix}.news.${key}.${epoch}`, courtesy: `${prefix}.courtesy.${key}` };
    const lines = headers();
    for (const [name, value] of given) lines.append(name, value);
    connection.publish(subjects[to], body, { headers: lines });
  }

  const CALLS: readonly ((log: HubLog) => Promise<unknown>)[] = [
    (log) => log.head(),
    (log) => log.read(0, 10),
    (log) => log.read(1, 10),
    (log) => log.append([{ id: `${crypto.randomUUID()}.1`, bytes: new Uint8Array(1) }]),
    (log) => log.append([{ id: `${crypto.randomUUID()}.1`, bytes: new Uint8Array(1) }], [BLOB]),
    (log) => log.snapshot(),
    (log) => log.putSnapshot({ position: 1, bytes: new Uint8Array(1) }),
    (log) => log.trim(1),
    (log) => log.hasBlobs([BLOB]),
    (log) => log.getBlob(BLOB),
    async (log) => log.collectBlobs({ ...(await log.head()), unusedFor: 0, isNamed: () => false }),
  ];

  it('answers, or says by a code what is wrong; other logs go on', async () => {
    const own = { servers: nats.url, user: nats.user, pass: nats.password, prefix: 'hostile' };
    const [before, other] = [natsHub(own), natsHub(own)];
    await before.connect();
    let count = 0;
    const property = fc.asyncProperty(fc.array(hostile, { minLength: 1, maxLength: 3 }), async (messages) => {
      const name = `log ${(count += 1)}`;
      const key = logDigest(name).toString('base64url');
      const log = before.log(name);
      log.subscribe(() => undefined);
      await log.append([{ id: `${count}.1`, bytes: new Uint8Array(1) }]);
      const { epoch } = await log.head();
      for (const message of messages) publish(message, key, epoch);
      await connection.flush();
      // By whoever knows the log, and by whoever does not.
      for (const each of [log, other.log(name)]) {
        for (const call of CALLS) {
          const error: unknown = await call(each).then(() => null, (reason: unknown) => reason);
          if (error === null) continue;
          expect(error).toBeInstanceOf(HoldfastError);
          expect((error as HoldfastError).code).toMatch(/^hub-(damaged|incompatible|trimmed|blob-missing)$/);
        }
      }
    });
    // The same ones each time: hundreds of others were run.
    await fc.assert(property, { numRuns: 60, seed: 7 });
    const well = other.log('well');
    await well.append([{ id: 'well.1', bytes: new Uint8Array(1) }]);
    expect((await before.log('well').read(0, 10)).length).toBe(1);
    await Promise.all([before.close(), other.close()]);
  }, 120_000);

  it('follows no link of an object, nor removes what is under any other name than its own', async () => {
    const hub = natsHub({ servers: nats.url, user: nats.user, pass: nats.password, prefix: 'linked' });
    const { maxEntryBytes } = await hub.connect();
    const [log, other] = [hub.log('linked'), hub.log('not linked')];
    const key = logDigest('linked').toString('base64url');
    const bytes = Buffer.from('of the other log');
    const name = createHash('sha256').update(bytes).digest('hex');
    await other.putBlob(name, bytes);
    const { epoch } = await log.head();
    const circle = { name: 'x', nuid: 'x', size: 1, chunks: 1, digest: 'x', options: { link: { bucket: 'linked', name: `${key}/blob/${BLOB}` } } };
    publish({ to: 'blob', headers: [], body: JSON.stringify(circle) }, key, epoch, 'linked');
    await connection.flush();
    await expectRejection(log.getBlob(BLOB), 'hub-damaged');
    // Larger than a message, so that an object holds them.
    await log.append([0, 1].map((count) => ({ id: `batch.${count}`, bytes: new Uint8Array(maxEntryBytes) })));
    await log.append([{ id: 'last', bytes: new Uint8Array(1) }]);
    const { Objm } = await import('@nats-io/obj');
    const batch = (await (await new Objm(connection).open('linked')).list()).find((info) => info.name.startsWith(`${key}/batch/`));
    const info = { name: batch?.name, nuid: '>', size: 1, chunks: 1, digest: batch?.digest };
    const subject = Buffer.from(batch?.name ?? '').toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    connection.publish(`$O.linked.M.${subject}`, JSON.stringify(info));
    await connection.flush();
    await log.putSnapshot({ position: 3, bytes });
    await log.trim(2);
    expect(Buffer.from((await other.getBlob(name)) ?? [])).toEqual(bytes);
    await hub.close();
  });

  it('holds nobody up for longer than a request may, and remembers no more than some', async () => {
    const heard: ((error: null, message: object) => void)[] = [];
    const deaf = { subscribe: (_subject: string, { callback }: { callback: (typeof heard)[0] }) => void heard.push(callback) };
    const courtesy = new Courtesy('p');
    courtesy.attach({ connection: deaf } as unknown as Session);
    const ask = (key: string, client: string, holds: number) => heard[0]?.(null, { subject: `p.courtesy.${key}`, string: () => JSON.stringify({ client, holds }) });
    for (let client = 0; client < 5000; client++) ask('log', `client ${client}`, 60);
    for (let log = 0; log < 5000; log++) ask(`log ${log}`, 'client', 60);
    expect(courtesy.known).toBeLessThanOrEqual(1100);
    await courtesy.waitFor('log');
    await courtesy.waitFor('log 4999');
  });
});
