import { afterAll, describe, expect, it } from 'vitest';
import { postgresHub, type PostgresHubOptions } from '../../src/sync/index.ts';
import type { Hub } from '../../src/sync/hub.ts';
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
    expect(await postgres.query(`select version from ${schema}.schema_version`)).toEqual([{ version: 1 }]);
    await Promise.all(hubs.map((each) => each.log('a').append([entry('x')])));
    expect((await hub(schema).log('a').head()).position).toBe(8);
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
    await postgres.query(`update ${schema}.schema_version set version = 2`);
    await expectRejection(hub(schema).connect(), 'hub-incompatible', /version 2, made by a newer Holdfast/);
    expect(await postgres.query(`select version from ${schema}.schema_version`)).toEqual([{ version: 2 }]);
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
    await log.putBlob('aa', new Uint8Array(5));
    expect([...(await log.hasBlobs(['aa', 'bb']))]).toEqual(['aa']);
    expect((await log.getBlob('aa'))?.length).toBe(5);
    expect(await log.snapshot()).toMatchObject({ position: 1 });
    expect((await log.read(1, 5)).length).toBe(1);
    expect(await log.head()).toMatchObject({ position: 2, first: 2 });
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
