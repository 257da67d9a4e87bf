import type { SuiteRecord } from '../record/record.ts';

// The suite storage. Written by npm run wpt:update, except for the reasons and notes, which are kept.
export const record: SuiteRecord = {
  'storage/buckets/bucket-quota-indexeddb.tentative.https.any.js': {
    run: true,
    except: [
      {
        reason: 'outdated-test',
        note: 'wants a plain DOMException with the old code; QuotaExceededError is a class of its own since 2025',
        subtests: [
          'IDB respects bucket quota',
        ],
      },
    ],
  },
  'storage/buckets/bucket-storage-policy.tentative.https.any.js': { run: true },
  'storage/buckets/bucket_names.tentative.https.any.js': { run: true },
  'storage/buckets/buckets_basic.tentative.https.any.js': { run: true },
  'storage/buckets/buckets_storage_policy.tentative.https.any.js': { run: true },
  'storage/buckets/detached-iframe.https.html': { run: true },
  'storage/buckets/idlharness-worker.https.any.js': { run: true },
  'storage/buckets/opaque-origin.https.window.js': { run: false, reason: 'opaque-origin' },
  'storage/buckets/storage_bucket_object.tentative.https.any.js': { run: true },
  'storage/estimate-indexeddb.https.any.js': { run: true },
  'storage/estimate-parallel.https.any.js': { run: true },
  'storage/estimate-usage-details-caches.https.tentative.any.js': { run: true },
  'storage/estimate-usage-details-indexeddb.https.tentative.any.js': { run: true },
  'storage/estimate-usage-details-service-workers.https.tentative.window.js': { run: false, reason: 'service-worker' },
  'storage/estimate-usage-details.https.tentative.any.js': { run: true },
  'storage/idlharness.https.any.js': { run: true },
  'storage/opaque-origin.https.window.js': { run: false, reason: 'opaque-origin' },
  'storage/partitioned-estimate-usage-details-caches.tentative.https.sub.html': { run: false, reason: 'partitioning' },
  'storage/partitioned-estimate-usage-details-indexeddb.tentative.https.sub.html': { run: false, reason: 'partitioning' },
  'storage/partitioned-estimate-usage-details-service-workers.tentative.https.sub.html': { run: false, reason: 'partitioning' },
  'storage/permission-query.https.any.js': { run: false, reason: 'permissions' },
  'storage/persist-permission-manual.https.html': { run: false, reason: 'manual' },
  'storage/persisted.https.any.js': { run: true },
  'storage/storagemanager-estimate.https.any.js': { run: true },
  'storage/storagemanager-persist-persisted-match.https.window.js': { run: true },
  'storage/storagemanager-persist.https.window.js': { run: true },
  'storage/storagemanager-persist.https.worker.js': { run: true },
  'storage/storagemanager-persisted.https.any.js': { run: true },
};
