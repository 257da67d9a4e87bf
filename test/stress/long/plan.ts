import type { StorageHostOptions } from '../../../src/index.ts';
import type { Limit } from '../model.ts';
import { lengthOfValue } from '../values.ts';
import { ORIGINS, type Habits } from '../workload.ts';

/** Each has a main thread and, at any time, so many others. */
export const PROCESSES = 3;
export const WORKERS = 2;

/** What a run of 500,000 writes has at least; a shorter one has as many less. */
export const FULL_RUN = { writes: 500_000, kills: 300, pauses: 300, terminations: 300, standstills: 100 };

/** After so many writes all rest, and what they were told is checked. */
export const WRITES_OF_ROUND = 10_000;

/** The origin of the counters, whose quota is never met. */
export const COUNTING = 'https://count.example';

/** Bytes of an origin: so few that many writes find no room. */
const QUOTAS = { total: 2 ** 20, localStorage: 96 * 2 ** 10 };

/** Most bytes that an origin's files may take. */
export function filesQuotaOf(origin: string): number {
  return origin === COUNTING ? Infinity : QUOTAS.total;
}

export function hostOptions(root: string): StorageHostOptions {
  return { root, quota: (origin) => (origin === COUNTING ? 2 ** 30 : QUOTAS) };
}

const STORAGE_LIMIT: Limit = {
  bytes: QUOTAS.localStorage,
  weigh: (key, value) => 2 * (key.length + lengthOfValue(value)),
};

export function limitOf(object: string): Limit | undefined {
  return ORIGINS.some((origin) => object === `${origin} localStorage`) ? STORAGE_LIMIT : undefined;
}

/** Values of some kB, so that the journals soon begin new generations, and as many as hardly fit. */
export const HABITS: Habits = {
  keys: ['a', 'b', 'c', 'd', 'e', 'é', 'f', 'g', 'h', 'i', 'j', 'k'],
  shares: [0.4, 0.55],
  item: 24_000,
  file: 300_000,
};
