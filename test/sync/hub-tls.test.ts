import { afterAll, describe, expect, it } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import { natsHub, postgresHub } from '../../src/sync/index.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { makeCertificate, type Certificate } from '../support/servers/certificate.ts';
import { startNats } from '../support/servers/nats.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import { expectRejection } from './hub-errors.ts';
import { hubProgram, runHubProcess } from './hub-process.ts';

/** A server that speaks TLS, and the options to reach it with that trust a certificate or not. */
interface Secured {
  readonly options: (ca: string | undefined) => object;
  readonly hub: (ca: string | undefined) => Hub;
  /** Whether the hub's connections are encrypted, as the server sees it. */
  readonly encrypted: () => Promise<boolean>;
  readonly dispose: () => Promise<void>;
}

async function securedPostgres({ certFile, keyFile }: Certificate): Promise<Secured> {
  const server = await startPostgres({ ssl: 'on', ssl_cert_file: certFile, ssl_key_file: keyFile });
  const options = (ca: string | undefined) => ({ connectionString: server.url(), ssl: ca === undefined ? true : { ca } });
  const encrypted = async () => {
    const rows = await server.query(`select ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'holdfast'`);
    return rows.length > 0 && rows.every(({ ssl }) => ssl === true);
  };
  return { options, hub: (ca) => postgresHub(options(ca)), encrypted, dispose: () => server.dispose() };
}

async function securedNats({ certFile, keyFile }: Certificate): Promise<Secured> {
  const server = await startNats({ lines: `tls: { cert_file: "${certFile}", key_file: "${keyFile}" }` });
  const options = (ca: string | undefined) => ({ servers: server.url, user: server.user, pass: server.password, tls: ca === undefined ? {} : { ca } });
  // With these settings it takes no other connections.
  return { options, hub: (ca) => natsHub(options(ca)), encrypted: () => Promise.resolve(true), dispose: () => server.dispose() };
}

const { server: certificate, missing } = await tryStart(() => Promise.resolve().then(makeCertificate));

afterAll(() => certificate?.dispose());

describe.each([
  ['postgres', securedPostgres],
  ['nats', securedNats],
] as const)('TLS to %s', async (engine, start) => {
  const { server, missing: without } = certificate === null ? { server: null, missing } : await tryStart(() => start(certificate));
  if (server === null || certificate === null) {
    reportSkipped(engine, without ?? '');
    return;
  }

  afterAll(() => server.dispose());

  it('is used with the options that are given', async () => {
    const hub = server.hub(certificate.ca);
    await hub.connect();
    expect((await hub.log('a').head()).position).toBe(0);
    expect(await server.encrypted()).toBe(true);
    await hub.close();
  });

  it('is refused where the certificate is not trusted', async () => {
    const hub = server.hub(undefined);
    await expectRejection(hub.connect(), 'hub-incompatible', /TLS certificate/);
    await hub.close();
  });

  it('keeps no process alive', async () => {
    expect(await runHubProcess(await hubProgram(), engine, server.options(certificate.ca), 'idle')).toBe('idle');
  });
});
