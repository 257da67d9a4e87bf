import type { SuiteRecord } from '../record/record.ts';

// The suite ours. Written by npm run wpt:update, except for the reasons and notes, which are kept.
export const record: SuiteRecord = {
  'ours/fs/after-removal-and-move.https.any.js': { run: true },
  'ours/fs/cross-primitive-locking.https.worker.js': { run: true },
  'ours/fs/names.https.any.js': { run: true },
  'ours/fs/removeEntry.https.any.js': { run: true },
  'ours/fs/sync-access-handle-writable-lock.https.worker.js': { run: true },
  'ours/fs/two-writables.https.any.js': { run: true },
  'ours/fs/workers.https.any.js': { run: true },
  'ours/key-value/local-storage.window.js': { run: true },
  'ours/key-value/opfs.https.any.js': { run: true },
  'ours/web-locks/workers.https.any.js': { run: true },
  'ours/webstorage/events.window.js': { run: true },
  'ours/webstorage/keys-and-values.window.js': { run: true },
  'ours/webstorage/quota.window.js': { run: true },
};
