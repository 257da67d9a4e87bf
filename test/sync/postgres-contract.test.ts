import { afterAll, describe } from 'vitest';
import { postgresHub } from '../../src/sync/hubs/postgres/postgres-hub.ts';
import { channelsReachAllRegions } from '../broadcast-channel/over-a-hub.ts';
import { itHoldsTheContract, reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startPostgres } from '../support/servers/postgres.ts';

const { server, missing } = await tryStart(() => startPostgres());

describe('the hub in a PostgreSQL', () => {
  if (server === null) {
    reportSkipped('postgres', missing);
    return;
  }
  afterAll(() => server.dispose());
  itHoldsTheContract({
    hub: () => Promise.resolve(postgresHub({ connectionString: server.url(), poolSize: 2 })),
    crash: () => server.restart(),
    bounded: {
      unnamedBytes: 2 ** 21,
      async hub() {
        const hub = postgresHub({ connectionString: server.url(), poolSize: 2, schema: 'bounded' });
        await hub.connect();
        await server.query('update bounded.limits set unnamed_bytes = $1', [2 ** 21]);
        return hub;
      },
    },
  });
  channelsReachAllRegions(() => postgresHub({ connectionString: server.url(), poolSize: 2 }));
});
