import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { FOR, ORIGIN, runCommand, runHere, temporary } from './support.ts';

test('import makes a root where none is only when it is told to', async () => {
  const local = temporary();
  const [old, fresh, archive] = ['old', 'fresh', 'all.tar'].map((name) => path.join(local, name)) as [string, string, string];
  const host = new StorageHost({ root: old });
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  await host.close();
  expect(await runHere(old, ['export', '--to', archive])).toMatchObject({ code: 0 });
  expect(await runHere(fresh, ['import', '--from', archive])).toMatchObject({ code: 1, err: `holdfast import: There is no root at ${fresh}.\n` });
  expect(fs.existsSync(fresh)).toBe(false);
  expect(await runHere(fresh, ['import', '--from', archive, '--create'])).toMatchObject({ code: 0, err: '' });
  expect(await runHere(fresh, ['import', '--from', archive, '--create'])).toMatchObject({ code: 1, err: expect.stringContaining(ORIGIN) as string });
  expect(await runCommand(fresh, ['get', 'k', ...FOR])).toMatchObject({ code: 0, out: 'v\n' });
});
