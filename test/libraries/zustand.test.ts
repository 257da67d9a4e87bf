import { expect, test } from 'vitest';
import { killedStep, step } from './step.ts';
import { temporaryRoot } from './temporary.ts';

test('a zustand store comes back from localStorage after a restart and after a kill', async () => {
  const root = temporaryRoot();
  expect(await step(root, 'state', 'fill')).toEqual({ count: 100, first: 'todo 0', filter: 'done', late: [] });
  expect(await step(root, 'state', 'query')).toEqual({ count: 100, first: 'todo 0', filter: 'all', late: [] });
  expect(await killedStep(root, 'state', 'hang')).toBe(20);
  const { count, late } = (await step(root, 'state', 'query')) as { count: number; late: string[] };
  expect(late.length).toBeGreaterThanOrEqual(21);
  expect(count).toBe(100 + late.length);
  expect(late).toEqual(late.map((_, n) => `late ${n}`));
});
