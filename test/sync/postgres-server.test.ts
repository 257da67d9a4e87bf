import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import { describeServer, requireUsable } from '../../src/sync/hubs/postgres/server-settings.ts';
import { postgresHub, type PostgresHubOptions } from '../../src/sync/index.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startPostgres, type PostgresServer } from '../support/servers/postgres.ts';
import { expectRejection } from './hub-errors.ts';
import { hubProgram, runHubProcess } from './hub-process.ts';

/** Milliseconds, for machines that are busy. */
const patience = { timeout: 30_000 };

const entry = (text: string) => ({ id: `${crypto.randomUUID()}.1`, bytes: new TextEncoder().encode(text) });

const settings = {
  version: 150_004,
  version_name: '15.4',
  isolation: 'read committed',
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  standbys: '',
};

describe("what a PostgreSQL's settings make of the promises", () => {
  it('is nothing with those that it comes with', () => {
    expect(describeServer(settings)).toEqual({ durability: 'synced', warnings: [] });
  });

  it('is more when transactions wait for standbys', () => {
    const standbys = 'ANY 1 (a, b)';
    expect(describeServer({ ...settings, standbys }).durability).toBe('replicated');
    const local = describeServer({ ...settings, standbys, synchronous_commit: 'local' });
    expect(local.durability).toBe('synced');
    expect(local.warnings.join()).toMatch(/do not wait for the standbys/);
  });

  it('is less when it does not sync, and is said', () => {
    const { durability, warnings } = describeServer({ ...settings, fsync: 'off', full_page_writes: 'off' });
    expect(durability).toBe('killed');
    expect(warnings.join()).toMatch(/fsync is off.*full_page_writes is off/);
  });

  it('is a refusal before version 13, and where appends would fail', () => {
    expect(() => requireUsable({ ...settings, version: 120_016, version_name: '12.16' }, 'x')).toThrow(/PostgreSQL 12\.16; it has to be 13 or later/);
    expect(() => requireUsable({ ...settings, version: 130_000 }, 'x')).not.toThrow();
    expect(() => requireUsable({ ...settings, isolation: 'serializable' }, 'x')).toThrow(/isolation level 'serializable'/);
  });
});

// What is not written at commit is lost with the server then: the writer of the log sleeps.
const unsafe = { synchronous_commit: 'off', wal_writer_delay: '10s', wal_writer_flush_after: '2GB', fsync: 'off', default_transaction_isolation: 'read committed' };
const { server, missing } = await tryStart(() => startPostgres(unsafe));

describe('a hub in a PostgreSQL with settings that are less safe', () => {
  if (server === null) reportSkipped('postgres', missing);
  else tests(server);
});

function tests(postgres: PostgresServer): void {
  const open: Hub[] = [];

  function hub(options: PostgresHubOptions = {}): Hub {
    const made = postgresHub({ connectionString: postgres.url(), ...options });
    open.push(made);
    return made;
  }

  afterEach(() => Promise.all(open.map((each) => each.close())));
  afterAll(() => postgres.dispose());

  it('says what they weaken', async () => {
    const { durability, warnings } = await hub().connect();
    expect(durability).toBe('killed');
    expect(warnings.join()).toMatch(/fsync is off.*synchronous_commit is off/);
  });

  it('loses nothing that was acknowledged when the server is killed, though it would by itself', async () => {
    const one = hub();
    await one.connect();
    await postgres.query('create table witness (number int)');
    await one.log('kept').append([entry('before')]);
    await postgres.query('insert into witness values (1)');
    await postgres.kill();
    await postgres.restart();
    const witness = await postgres.query('select * from witness').catch(() => []);
    expect(witness, 'without the adapter, this server loses what it acknowledged').toEqual([]);
    expect((await hub().log('kept').read(0, 10)).length).toBe(1);
  });

  it('makes one transaction of what is appended while another is under way', async () => {
    const one = hub();
    await one.connect();
    const log = one.log('grouped');
    await log.head();
    await Promise.all(Array.from({ length: 200 }, (_, index) => log.append([entry(`${index}`)])));
    expect((await log.head()).position).toBe(200);
    expect(await transactions('grouped')).toBeLessThan(20);
  });

  it('makes one transaction of appends to many logs, from several clients with the same logs', async () => {
    const hubs = [hub(), hub(), hub()];
    await Promise.all(hubs.map((each) => each.connect()));
    const names = Array.from({ length: 60 }, (_, index) => `many ${index}`);
    const append = (client: number, name: string) => hubs[client]?.log(name).append([entry(`${client} 1`), entry(`${client} 2`)]);
    for (let round = 0; round < 5; round++) {
      // Each client begins elsewhere: who took them in that order would wait for another in a circle.
      await Promise.all([0, 1, 2].flatMap((client) => [...names.slice(client * 20), ...names.slice(0, client * 20)].map((name) => append(client, name))));
    }
    for (const name of names) {
      const texts = (await hubs[0]?.log(name).read(0, 1000))?.map(({ bytes }) => new TextDecoder().decode(bytes)) ?? [];
      expect(texts.length).toBe(30);
      // A batch is in one piece.
      texts.forEach((text, index) => index % 2 === 1 && expect(text).toBe(texts[index - 1]?.replace(' 1', ' 2')));
    }
    expect(await transactions('many %')).toBeLessThan(3 * 5 * 20);
  });

  async function transactions(name: string): Promise<number> {
    const [row] = await postgres.query(`select count(distinct e.xmin::text) as count from holdfast.entries e join holdfast.logs l using (log) where l.name like $1`, [`"${name}"`]);
    return Number(row?.['count']);
  }

  it('finds news by looking, too, when notifications get lost', async () => {
    const one = hub({ pollInterval: 20 });
    await one.connect();
    const log = one.log('polled');
    await log.head();
    let news = 0;
    log.subscribe(() => (news += 1));
    await expect.poll(() => news, patience).toBeGreaterThan(0);
    const heard = news;
    // As an append that told nobody.
    await postgres.query(`update holdfast.logs set head = head + 1 where name = '"polled"'`);
    await expect.poll(() => news, patience).toBeGreaterThan(heard);
  });

  it('refuses an isolation level at which appends would fail', async () => {
    await postgres.query(`create role strict login superuser password 'strict'; alter role strict set default_transaction_isolation = 'repeatable read'`);
    await expectRejection(hub({ connectionString: postgres.url('strict', 'strict') }).connect(), 'hub-incompatible', /isolation level/);
  });

  it('keeps no process alive, be the server there or away', async () => {
    const program = await hubProgram();
    const options = { connectionString: postgres.url() };
    expect(await runHubProcess(program, 'postgres', options, 'idle')).toBe('idle');
    expect(await runHubProcess(program, 'postgres', options, 'wait', () => postgres.kill())).toBe('idle');
    await postgres.restart();
  });
}
