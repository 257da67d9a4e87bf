import { expect, test } from 'vitest';
import { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
import { isEncrypted } from '../support/sealed.ts';
import { rootFor } from './root.ts';

// Fewer where each name is encrypted, and each look decrypts it.
const COUNT = isEncrypted ? 4_000 : 20_000;
const keyOf = (n: number): { origin: string; className: string; name: string } => ({ origin: 'https://app.example', className: 'Counter', name: `number ${n}` });

test('very many alarms are all known over restarts, none twice, and those that ran no more', () => {
  const root = rootFor('https://app.example');
  const open = (): AlarmIndex => {
    const index = new AlarmIndex(root);
    index.look();
    return index;
  };
  const first = open();
  for (let n = 0; n < COUNT; n++) first.note(keyOf(n), 1000 + n, 1);
  first.close();
  const second = open();
  expect([second.size, second.earliest]).toEqual([COUNT, 1000]);
  expect(new Set(second.due(1000 + COUNT / 2 - 1).map(({ name }) => name)).size).toBe(COUNT / 2);
  // A takeover: another owner speaks of it, and what the one before says is void.
  for (let n = 0; n < COUNT; n += 2) second.forget(keyOf(n), 2);
  second.move(keyOf(1), 5, 2);
  second.forget(keyOf(1), 1);
  second.close();
  const third = open();
  expect([third.size, third.earliest, third.due(Infinity).length]).toEqual([COUNT / 2, 5, COUNT / 2]);
  third.close();
});
