import assert from 'node:assert/strict';
import type { HubLog } from '../hub.ts';
import { contractTest } from './contract.ts';
import { entry, newName, readAll, textOf } from './stage.ts';

export const reading = [
  contractTest('read gives at most as many entries as were asked for, and at least one when there is one', async (stage) => {
    const log = await stage.log();
    await log.append(Array.from({ length: 25 }, (_, index) => entry(String(index + 1))));
    for (const limit of [1, 2, 7, 25, 1000]) {
      const all = await readAll(log, 0, limit);
      assert.deepEqual(all.map(({ bytes }) => Number(textOf(bytes))), Array.from({ length: 25 }, (_, index) => index + 1));
    }
  }),

  contractTest('read starts after the position that was given', async (stage) => {
    const log = await stage.log();
    await log.append(['a', 'b', 'c', 'd'].map(entry));
    for (let after = 0; after < 4; after++) {
      const [first] = await log.read(after, 1);
      assert.equal(first?.position, after + 1);
      assert.equal(textOf(first.bytes), 'abcd'[after]);
    }
  }),

  contractTest('read gives nothing at the head, nor beyond it', async (stage) => {
    const log = await stage.log();
    await log.append([entry('a')]);
    assert.deepEqual(await log.read(1, 10), []);
    assert.deepEqual(await log.read(5, 10), []);
  }),

  contractTest('head counts every append that was acknowledged before, to any client, and read gives it', async (stage) => {
    const [log, other] = await stage.pair();
    for (let count = 1; count <= 25; count++) {
      const [writer, reader] = count % 2 === 0 ? [log, other] : [other, log];
      await writer.append([entry(String(count))]);
      assert.equal((await reader.head()).position, count);
      assert.deepEqual((await reader.read(count - 1, 10)).map(({ bytes }) => textOf(bytes)), [String(count)]);
    }
  }),

  contractTest('every client sees the same epoch of a log, also one that comes later, and every log has its own', async (stage) => {
    const name = newName();
    const log = await stage.log(name);
    const { epoch } = await log.head();
    await log.append([entry('a')]);
    assert.equal((await log.head()).epoch, epoch);
    assert.equal((await (await stage.log(name)).head()).epoch, epoch);
    assert.notEqual((await (await stage.log()).head()).epoch, epoch);
  }),

  contractTest('clients that make a log at the same moment make one', async (stage) => {
    const logs = await stage.logs(8);
    const epochs = await Promise.all(logs.map(async (log) => (await log.head()).epoch));
    assert.equal(new Set(epochs).size, 1);
    const others = await stage.logs(8);
    await Promise.all(others.map((log) => log.append([entry('a')])));
    assert.equal((await readAll(others[0] as HubLog)).length, 8);
  }),
];
