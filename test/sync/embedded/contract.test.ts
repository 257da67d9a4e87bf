import { afterAll, beforeAll } from 'vitest';
import { embeddedHub } from '../../../src/sync/hubs/embedded/embedded-hub.ts';
import { itHoldsTheContract } from '../../support/servers/availability.ts';
import { HubProcess } from './hub-process.ts';

let server: HubProcess;

beforeAll(async () => {
  server = await HubProcess.start();
});

afterAll(() => server.remove());

itHoldsTheContract({
  hub: async () => embeddedHub({ url: server.url, token: server.token }),
  crash: () => server.crash(),
});
