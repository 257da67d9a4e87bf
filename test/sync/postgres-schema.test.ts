import { createHash } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { postgresHub, type PostgresHubOptions } from '../../src/sync/index.ts';
import type { Hub } from '../../src/sync/hub.ts';
import { migrations, SCHEMA_VERSION } from '../../src/sync/hubs/postgres/schema.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startPostgres, type PostgresServer } from '../support/servers/postgres.ts';
import { expectRejection } from './hub-errors.ts';
import { rightsOf } from './postgres-rights.ts';

/** Milliseconds, for machines that are busy. */
const patience = { timeout: 30_000 };

const { server, missing } = await tryStart(() => startPostgres());

describe('the schema of the hub in a PostgreSQL', () => {
  if (server === null) reportSkipped('postgres', missing);
  else tests(server);
});

function tests(postgres: PostgresServer): void {
  const open: Hub[] = [];
  let count = 0;

  afterAll(async () => {
    await Promise.all(open.map((hub) => hub.close()));
    await postgres.dispose();
  });

  function hub(schema: string, options: PostgresHubOptions = {}): Hub {
    const made = postgresHub({ connectionString: postgres.url(), schema, ...options });
    open.push(made);
    return made;
  }

  function newSchema(): string {
    return `test_${++count}`;
  }

  const entry = (text: string) => ({ id: `${crypto.randomUUID()}.1`, bytes: new TextEncoder().encode(text) });

  it('is made once by hubs that connect for the first time at the same moment', async () => {
    const schema = newSchema();
    const hubs = Array.from({ length: 8 }, () => hub(schema));
    const connected = await Promise.all(hubs.map((each) => each.connect()));
    expect(connected.map(({ durability }) => durability)).toEqual(Array(8).fill('synced'));
    expect(await postgres.query(`select version from ${schema}.schema_version`)).toEqual([{ version: SCHEMA_VERSION }]);
    await Promise.all(hubs.map((each) => each.log('a').append([entry('x')])));
    expect((await hub(schema).log('a').head()).position).toBe(8);
  });

  it('of version 1 is brought up to date, with all that it holds; and its functions go on for hubs that know no other', async () => {
    const schema = newSchema();
    await postgres.query(`create schema ${schema}; ${migrations(schema)[0]}`);
    const old = `select ${schema}.append_all(array[repeat('ab', 32)], array['old'], array[1], array['1'], array[1], '\\x61')`;
    await postgres.query(old);
    await postgres.query(`select ${schema}.put_blob(decode(repeat('ab', 32), 'hex'), 'old', 'any', '\\x62')`);
    await postgres.query(`select ${schema}.put_snapshot(decode(repeat('ab', 32), 'hex'), 'old', 9007199254740991, '\\x62')`);
    await hub(schema).connect();
    expect(await postgres.query(`select version from ${schema}.schema_version`)).toEqual([{ version: SCHEMA_VERSION }]);
    await postgres.query(old.replace("array['1']", "array['2']"));
    expect(await postgres.query(`select head::int, trimmed::int from ${schema}.logs`)).toEqual([{ head: 2, trimmed: 0 }]);
    // The snapshot beyond the head counts for nothing, and gives way.
    await postgres.query(`select ${schema}.trim(decode(repeat('ab', 32), 'hex'), 2)`);
    expect(await postgres.query(`select trimmed::int from ${schema}.logs`)).toEqual([{ trimmed: 0 }]);
    await postgres.query(`select ${schema}.put_snapshot(decode(repeat('ab', 32), 'hex'), 'old', 1, '\\x63')`);
    expect(await postgres.query(`select position::int from ${schema}.snapshots`)).toEqual([{ position: 1 }]);
    expect(await postgres.query(`select name, named::int from ${schema}.blobs`)).toEqual([{ name: 'any', named: 0 }]);
  });

  it('takes nothing from a client that is beyond its limits, whatever the client is', async () => {
    const schema = newSchema();
    await hub(schema).connect();
    await hub(schema).log('a').append([entry('1')]);
    const key = `(select key from ${schema}.logs)`;
    const refused: [statement: string, code: string][] = [
      [`${schema}.put_snapshot(${key}, 'a', 2, '')`, 'HF002'],
      [`${schema}.put_snapshot(${key}, 'a', -1, '')`, 'HF002'],
      [`${schema}.put_blob(${key}, 'a', repeat('0', 64), '')`, 'HF002'],
      [`${schema}.put_blob(${key}, 'a', repeat('0', 64), decode(repeat('00', 67108865), 'hex'))`, 'HF003'],
      [`${schema}.append(${key}, 'a', array['x'], array[5], '', '{}')`, 'HF004'],
      [`${schema}.append(${key}, 'a', array['x'], array[-1], '', '{}')`, 'HF004'],
      [`${schema}.append(${key}, 'a', array['x', 'y'], array[0], '', '{}')`, 'HF004'],
      [`${schema}.append(${key}, 'a', array['an id'], array[0], '', '{}')`, 'HF004'],
      [`${schema}.append(${key}, 'a', array[null], array[0], '', '{}')`, 'HF004'],
      [`${schema}.append(${key}, 'a', array_fill('x'::text, array[65537]), array_fill(0, array[65537]), '', '{}')`, 'HF003'],
      [`${schema}.append(${key}, 'a', array['x'], array[0], '', array['gone'])`, 'HF001'],
      [`${schema}.make('short', 'a')`, 'HF004'],
      [`${schema}.make(sha256('x'), repeat('a', 5000))`, 'HF004'],
    ];
    for (const [statement, code] of refused) await expect(postgres.query(`select ${statement}`), statement).rejects.toMatchObject({ code });
    await postgres.query(`select ${schema}.trim(${key}, 9007199254740991)`);
    expect(await hub(schema).log('a').head()).toMatchObject({ position: 1, first: 1 });
  });

  it('is left as it is by a hub that connects later', async () => {
    const schema = newSchema();
    await hub(schema).connect();
    await hub(schema).log('a').append([entry('x')]);
    await hub(schema).connect();
    expect((await hub(schema).log('a').read(0, 10)).length).toBe(1);
  });

  it('is refused when it is newer, and stays as it is', async () => {
    const schema = newSchema();
    await hub(schema).connect();
    await postgres.query(`update ${schema}.schema_version set version = ${SCHEMA_VERSION + 1}`);
    await expectRejection(hub(schema).connect(), 'hub-incompatible', /made by a newer Holdfast/);
    expect(await postgres.query(`select version from ${schema}.schema_version`)).toEqual([{ version: SCHEMA_VERSION + 1 }]);
  });

  it('keeps schemas of one database apart', async () => {
    const [one, other] = [newSchema(), newSchema()];
    await Promise.all([hub(one).connect(), hub(other).connect()]);
    await hub(one).log('a').append([entry('x')]);
    expect((await hub(other).log('a').head()).position).toBe(0);
  });

  it('is used in full by a role that has the documented rights, and by no other', async () => {
    const schema = newSchema();
    await hub(schema).connect();
    await postgres.query(`create role ${schema}_app login password 'app'`);
    const limited = () => hub(schema, { connectionString: postgres.url(`${schema}_app`, 'app') });
    await expectRejection(limited().connect(), 'hub-unauthorized', /docs\/POSTGRES\.md/);
    await postgres.query(rightsOf(schema, `${schema}_app`));
    const one = limited();
    await one.connect();
    const log = one.log('a');
    let news = 0;
    log.subscribe(() => (news += 1));
    await log.append([entry('1'), entry('2')]);
    await log.putSnapshot({ position: 1, bytes: new Uint8Array(3) });
    await log.trim(1);
    const blob = createHash('sha256').update(new Uint8Array(5)).digest('hex');
    await log.putBlob(blob, new Uint8Array(5));
    expect([...(await log.hasBlobs([blob, 'bb']))]).toEqual([blob]);
    expect((await log.getBlob(blob))?.length).toBe(5);
    await log.append([entry('3')], [blob]);
    const { epoch, first } = await log.head();
    expect(await log.collectBlobs({ epoch, first, position: 1, unusedFor: 0, isNamed: () => false })).toBe(0);
    expect(await log.snapshot()).toMatchObject({ position: 1 });
    expect((await log.read(1, 5)).length).toBe(2);
    expect(await log.head()).toMatchObject({ position: 3, first: 2 });
    await expect.poll(() => news, patience).toBeGreaterThan(0);
  });

  it('gives that role no way to change what was appended, nor to make anything', async () => {
    const schema = newSchema();
    await hub(schema).connect();
    await postgres.query(`create role ${schema}_app login password 'app'; ${rightsOf(schema, `${schema}_app`)}`);
    await hub(schema).log('a').append([entry('x')]);
    const forbidden = [`update ${schema}.entries set bytes = ''`, `delete from ${schema}.entries`, `insert into ${schema}.logs (key, name) values ('x', 'x')`, `update ${schema}.logs set head = 0`, `create table ${schema}.mine ()`];
    for (const statement of forbidden) {
      await expect(postgres.query(`set role ${schema}_app; ${statement}`), statement).rejects.toThrow('permission denied');
    }
  });

  it('can be made by a role that owns nothing but the schema that an administrator made', async () => {
    const schema = newSchema();
    await postgres.query(`create role ${schema}_owner login password 'owner'; create schema ${schema} authorization ${schema}_owner`);
    const owner = hub(schema, { connectionString: postgres.url(`${schema}_owner`, 'owner') });
    await owner.connect();
    expect(await owner.log('a').append([entry('x')])).toBe(1);
  });

  it('leaves nothing behind when it cannot be made', async () => {
    const schema = newSchema();
    await postgres.query(`create role ${schema}_stranger login password 'stranger'`);
    await expectRejection(hub(schema, { connectionString: postgres.url(`${schema}_stranger`, 'stranger') }).connect(), 'hub-unauthorized');
    expect(await postgres.query(`select from pg_namespace where nspname = '${schema}'`)).toEqual([]);
  });

  it('is out of reach with a wrong password, and in a database that does not exist', async () => {
    await expectRejection(hub('holdfast', { connectionString: postgres.url('postgres', 'wrong') }).connect(), 'hub-unauthorized', /password/);
    await expectRejection(hub('holdfast', { connectionString: postgres.url('nobody', 'wrong') }).connect(), 'hub-unauthorized');
    await expectRejection(hub('holdfast', { connectionString: postgres.url().replace(/postgres$/, 'missing') }).connect(), 'hub-incompatible', /database does not exist/);
  });

  it('is missed clearly when somebody drops it, and comes back by connecting, as another history', async () => {
    const schema = newSchema();
    const one = hub(schema);
    await one.connect();
    await one.log('a').append([entry('x')]);
    const { epoch } = await one.log('a').head();
    await postgres.query(`drop schema ${schema} cascade`);
    await expectRejection(one.log('a').head(), 'hub-incompatible');
    await one.connect();
    const again = await one.log('a').head();
    expect(again.position).toBe(0);
    expect(again.epoch).not.toBe(epoch);
  });
}
