import type { SuiteRecord } from '../record/record.ts';
import type { Suite } from '../runner/discover.ts';
import { record as fileSystemAccess } from './file-system-access.ts';
import { record as fs } from './fs.ts';
import { record as indexedDB } from './IndexedDB.ts';
import { record as ours } from './ours.ts';
import { record as cacheStorage } from './service-workers-cache-storage.ts';
import { record as storage } from './storage.ts';
import { record as webLocks } from './web-locks.ts';
import { record as broadcastChannel } from './webmessaging-broadcastchannel.ts';
import { record as webstorage } from './webstorage.ts';

/** What every test file of every suite is expected to do. */
export const records: Readonly<Record<Suite, SuiteRecord>> = {
  fs,
  'file-system-access': fileSystemAccess,
  webstorage,
  'web-locks': webLocks,
  storage,
  IndexedDB: indexedDB,
  'service-workers/cache-storage': cacheStorage,
  'webmessaging/broadcastchannel': broadcastChannel,
  ours,
};
