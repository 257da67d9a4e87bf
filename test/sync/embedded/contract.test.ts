import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { startHub, type RunningHub } from '../../../src/sync/index.ts';
import { embeddedHub } from '../../../src/sync/hubs/embedded/embedded-hub.ts';
import { channelsReachAllRegions } from '../../broadcast-channel/over-a-hub.ts';
import { itHoldsTheContract } from '../../support/servers/availability.ts';
import { HubProcess } from './hub-process.ts';
import { TOKEN } from './in-process.ts';

const UNNAMED_BYTES = 2 ** 21;

let server: HubProcess;
let bounded: RunningHub | undefined;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-bounded-'));

beforeAll(async () => {
  server = await HubProcess.start();
  bounded = await startHub({ root, token: TOKEN, maxUnnamedBytes: UNNAMED_BYTES });
});

afterAll(async () => {
  await server.remove();
  await bounded?.close();
  fs.rmSync(root, { recursive: true, force: true });
});

itHoldsTheContract({
  hub: async () => embeddedHub({ url: server.url, token: server.token }),
  crash: () => server.crash(),
  bounded: { unnamedBytes: UNNAMED_BYTES, hub: async () => embeddedHub({ url: bounded?.url ?? '', token: TOKEN }) },
});

channelsReachAllRegions(() => embeddedHub({ url: server.url, token: server.token }));
