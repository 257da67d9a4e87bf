import type { SuiteRecord } from '../record/record.ts';

// The suite service-workers/cache-storage. Written by npm run wpt:update, except for the reasons and notes, which are kept.
export const record: SuiteRecord = {
  'service-workers/cache-storage/cache-abort.https.any.js': { run: true },
  'service-workers/cache-storage/cache-add.https.any.js': { run: true },
  'service-workers/cache-storage/cache-delete.https.any.js': { run: true },
  'service-workers/cache-storage/cache-keys-attributes-for-service-worker.https.html': { run: false, reason: 'service-worker' },
  'service-workers/cache-storage/cache-keys.https.any.js': { run: true },
  'service-workers/cache-storage/cache-match.https.any.js': { run: true },
  'service-workers/cache-storage/cache-matchAll.https.any.js': { run: true },
  'service-workers/cache-storage/cache-put.https.any.js': { run: true },
  'service-workers/cache-storage/cache-storage-buckets.https.any.js': { run: true },
  'service-workers/cache-storage/cache-storage-keys.https.any.js': { run: true },
  'service-workers/cache-storage/cache-storage-match.https.any.js': { run: true },
  'service-workers/cache-storage/cache-storage.https.any.js': { run: true },
  'service-workers/cache-storage/common.https.window.js': { run: true },
  'service-workers/cache-storage/crashtests/cache-response-clone.https.html': { run: false, reason: 'document', note: 'a crash test: it ends when the document says so' },
  'service-workers/cache-storage/credentials.https.html': { run: false, reason: 'service-worker' },
  'service-workers/cache-storage/cross-partition.https.tentative.html': { run: false, reason: 'partitioning' },
  'service-workers/cache-storage/sandboxed-iframes.https.html': { run: false, reason: 'opaque-origin' },
};
