// Who takes part: on which runtime each runs, and what it is called in the table. Limits are no peers: Holdfast does what they
// do, and more.
import { runtimes } from './runtimes.mjs';

export const contestants = {
  limit: { label: 'limit', runtime: 'node', isLimit: true },
  'limit-beside': { label: "limit, in Holdfast's process", runtime: 'node', isLimit: true },
  'limit-response': { label: 'limit, as Responses', runtime: 'node', isLimit: true },
  'limit-requests': { label: 'limit, as requests', runtime: 'node', isLimit: true },
  holdfast: { label: 'Holdfast', runtime: 'node' },
  node: { label: 'Node 26', runtime: 'node' },
  deno: { label: 'Deno', runtime: 'deno' },
  'node-localstorage': { label: 'node-localstorage', runtime: 'node' },
  'node-opfs': { label: 'node-opfs', runtime: 'node' },
  memfs: { label: 'memfs (in memory)', runtime: 'node' },
  adapter: { label: 'native-fs-adapter', runtime: 'node' },
  'fake-indexeddb': { label: 'fake-indexeddb', runtime: 'node' },
  indexeddbshim: { label: 'indexeddbshim', runtime: 'node' },
  sqlite: { label: 'node:sqlite', runtime: 'node' },
  chromium: { label: 'Chromium', runtime: 'chromium' },
  ...Object.fromEntries(runtimes.map(({ folder, name }) => [folder, { label: name, runtime: folder }])),
  workerd: { label: 'workerd', runtime: 'workerd' },
  embedded: { label: 'embedded hub', runtime: 'node' },
  postgres: { label: 'PostgreSQL', runtime: 'node' },
  nats: { label: 'NATS', runtime: 'node' },
  'cp -a': { label: 'cp -a', runtime: 'system' },
  restic: { label: 'restic', runtime: 'system' },
  borg: { label: 'Borg', runtime: 'system' },
};
