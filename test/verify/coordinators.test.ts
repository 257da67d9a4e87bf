import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Coordinator, testCoordinators } from '../../src/host/coordinator/index.ts';
import { change, temporary, verify } from './sample.ts';

class List extends Coordinator {
  add(item: string): void {
    this.localStorage.setItem(item, item);
  }

  async file(): Promise<void> {
    await (await this.storage.getDirectory()).getFileHandle('f', { create: true });
  }
}

test('the journal of a coordinator is looked at, and what is in its bucket', async () => {
  const root = path.join(temporary(), 'root');
  const { get, close } = testCoordinators({ List }, { root });
  await get(List, 'a').add('1');
  await get(List, 'a').add('2');
  await get(List, 'b').file();
  const copy = path.join(temporary(), 'copy');
  fs.cpSync(root, copy, { recursive: true, filter: (file) => !fs.lstatSync(file).isSocket() });
  await close();
  const sound = verify(copy);
  expect(sound.findings).toEqual([]);
  const files = fs.readdirSync(copy, { recursive: true }).map(String);
  const turns = files.find((file) => file.endsWith('a/turns/0')) ?? '';
  expect(sound.journals).toBeGreaterThanOrEqual(2 + files.filter((file) => /turns\/0$|storage\/(local-storage|locks)\/0$/.test(file)).length);
  change(path.join(copy, turns), fs.statSync(path.join(copy, turns)).size - 10);
  expect(verify(copy).findings).toMatchObject([{ kind: 'damaged', origin: 'https://test.example', journal: 'turns', bucket: path.dirname(path.dirname(turns)).split('https_test.example/')[1] }]);
});
