import assert from 'node:assert/strict';
import { randomUuid } from '../../runtime/random.ts';
import type { HubLog } from '../hub.ts';
import { blobName } from './blobs.ts';
import { contractTest } from './contract.ts';
import { assertRejects, bytesOf, entry, noise } from './stage.ts';

/** Of what may be put, so much is put at once. */
const PARTS = 4;

interface Put {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** None that was ever there. */
const blobOf = (length: number): Put => {
  const bytes = noise(length);
  bytes.set(bytesOf(randomUuid()));
  return { name: blobName(bytes), bytes };
};

/** Puts blobs until the hub takes no more; gives their names. */
async function fill(log: HubLog, length: number): Promise<string[]> {
  const names: string[] = [];
  for (;;) {
    const { name, bytes } = blobOf(length);
    try {
      await log.putBlob(name, bytes);
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'hub-full', String(error));
      assert.equal(await log.getBlob(name), null, 'a blob that was refused is there');
      return names;
    }
    names.push(name);
    assert.ok(names.length <= PARTS, `${names.length} parts were taken where ${PARTS} are the most`);
  }
}

export const unnamed = [
  contractTest('a client that has put as much as it may, and named nothing, may put more once it names some, or all is collected', async (stage) => {
    const { log, unnamedBytes } = await stage.bounded();
    const length = Math.floor(unnamedBytes / PARTS);
    const names = await fill(log, length);
    assert.equal(names.length, PARTS);
    // What is there already takes nothing.
    const [first = '', second = ''] = names;
    const more = [blobOf(length), blobOf(length), blobOf(length)] as const;
    await log.append([entry('names one')], [first]);
    await log.putBlob(more[0].name, more[0].bytes);
    await assertRejects(log.putBlob(more[1].name, more[1].bytes), 'hub-full', 'a blob beyond the bound');
    await log.append([entry('names one again'), entry('and another')], [first, second]);
    await log.putBlob(more[1].name, more[1].bytes);
    await assertRejects(log.putBlob(more[2].name, more[2].bytes), 'hub-full', 'a blob beyond the bound');
    const { epoch, first: from, position } = await log.head();
    assert.equal(await log.collectBlobs({ epoch, first: from, position, unusedFor: 0, isNamed: () => false }), PARTS + 2);
    const again = await fill(log, length);
    assert.equal(again.length, PARTS);
    await log.collectBlobs({ epoch, first: from, position, unusedFor: 0, isNamed: () => false });
  }),
];
