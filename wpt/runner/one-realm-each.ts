import { createHash } from 'node:crypto';
import { records } from '../expectations/index.ts';
import type { Test } from './discover.ts';

/**
 * Of what runs in a window and in a worker alike one of the two, by chance; both where the record has exceptions, for it
 * is compared with all of a file's results.
 */
export function oneRealmEach(tests: readonly Test[], seed: number): Test[] {
  const rowOf = ({ file, query }: Test): string => `${file}${query}`;
  const inWorkers = new Set(tests.filter(({ variant }) => variant === 'any.worker').map(rowOf));
  return tests.filter((test) => {
    const { suite, file, variant } = test;
    const entry = records[suite][file];
    const isExcepted = entry?.run !== true || entry.except !== undefined || entry.harness !== undefined;
    if (isExcepted || !['any', 'any.worker'].includes(variant) || !inWorkers.has(rowOf(test))) return true;
    const [drawn = 0] = createHash('sha256').update(`${seed} ${rowOf(test)}`).digest();
    return (drawn % 2 === 0) === (variant === 'any');
  });
}
