import type { CaptureCode } from '../../disk/backup/capture-context.ts';

/** Loaded where an origin has any: a second way to them would cut what their users load into more modules. */
export const captureCode: CaptureCode = {
  createCacheMachine: async () => new (await import('../caches/code.ts')).CacheMachine(),
  databases: () => import('../record-code.ts'),
};
