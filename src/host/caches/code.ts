// What the door 'holdfast/caches' provides. Much code, so it is loaded when `caches` or one of its interfaces is first touched.
export { Cache } from '../../cache-storage/cache.ts';
export { CacheStorage, createCacheStorage } from '../../cache-storage/cache-storage.ts';
// For who verifies, exports or imports.
export { createResponse } from '../../cache-storage/stored-response.ts';
export { faultsOfResponses, listResponses } from '../../disk/caches/inspect.ts';
export { CacheMachine } from '../../disk/caches/machine.ts';
export { bodyStart, readHead } from '../../disk/caches/response-head.ts';
export { createCacheStore } from './create-store.ts';
