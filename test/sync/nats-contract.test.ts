import { afterAll, describe } from 'vitest';
import { natsHub } from '../../src/sync/hubs/nats/nats-hub.ts';
import { channelsReachAllRegions } from '../broadcast-channel/over-a-hub.ts';
import { itHoldsTheContract, reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startNats } from '../support/servers/nats.ts';

const { server, missing } = await tryStart(() => startNats());

describe('the hub in a NATS JetStream', () => {
  if (server === null) {
    reportSkipped('nats', missing);
    return;
  }
  afterAll(() => server.dispose());
  itHoldsTheContract({
    hub: () => Promise.resolve(natsHub({ servers: server.url, user: server.user, pass: server.password })),
    crash: () => server.restart(),
  });
  channelsReachAllRegions(() => natsHub({ servers: server.url, user: server.user, pass: server.password }));
});
