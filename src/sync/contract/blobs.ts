import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { HubLog } from '../hub.ts';
import { contractTest } from './contract.ts';
import { notRun } from './not-run.ts';
import { assertBytes, assertRejects, bytesOf, newName, noise } from './stage.ts';

/** Every engine takes a blob of this size, in bytes. */
const GUARANTEED = 2 ** 20;

/** More than this is not sent just to see where the limit is. */
const MOST_BYTES = 2 ** 26;

export function blobName(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export const blobs = [
  contractTest('a blob can be read by every client as soon as it is put', async (stage) => {
    const [log, other] = await stage.pair();
    for (const bytes of [bytesOf('small'), new Uint8Array(0), noise(300_000), noise(GUARANTEED)]) {
      const name = blobName(bytes);
      assert.equal(await other.getBlob(name), null);
      await log.putBlob(name, bytes);
      assertBytes(await other.getBlob(name), bytes, `the blob of ${bytes.length} bytes`);
    }
  }),

  contractTest('hasBlobs tells which of the named blobs are there', async (stage) => {
    const [log, other] = await stage.pair();
    const contents = Array.from({ length: 6 }, (_, index) => bytesOf(`blob ${index}`));
    const names = contents.map(blobName);
    for (const index of [1, 4]) await log.putBlob(names[index] ?? '', contents[index] ?? new Uint8Array());
    assert.deepEqual([...(await other.hasBlobs(names))].sort(), [names[1], names[4]].sort());
    assert.equal((await other.hasBlobs([])).size, 0);
    const many = Array.from({ length: 1000 }, (_, index) => blobName(bytesOf(`many ${index}`)));
    assert.deepEqual([...(await other.hasBlobs([...many, names[1] ?? '']))], [names[1]]);
  }),

  contractTest('a blob that is there is left as it is', async (stage) => {
    const [log, other] = await stage.pair();
    const bytes = bytesOf('the first');
    const name = blobName(bytes);
    await log.putBlob(name, bytes);
    await other.putBlob(name, bytes);
    // An engine may see that these are not the bytes of that name, and say so.
    await other.putBlob(name, bytesOf('a second')).catch(() => undefined);
    assertBytes(await log.getBlob(name), bytes, 'the blob');
  }),

  contractTest('a blob that clients put at once is whole', async (stage) => {
    const logs = await stage.logs(4);
    const bytes = noise(400_000);
    await Promise.all(logs.map((log) => log.putBlob(blobName(bytes), bytes)));
    assertBytes(await (logs[0] as HubLog).getBlob(blobName(bytes)), bytes, 'the blob');
  }),

  contractTest('a blob that is too large is refused', async (stage) => {
    const { hub, capabilities } = await stage.client();
    if (capabilities.maxBlobBytes > MOST_BYTES) notRun(`the largest blob has ${capabilities.maxBlobBytes} bytes`);
    const log = hub.log(newName());
    const fits = noise(capabilities.maxBlobBytes);
    await log.putBlob(blobName(fits), fits);
    assertBytes(await log.getBlob(blobName(fits)), fits, 'the largest blob');
    const large = noise(capabilities.maxBlobBytes + 1);
    await assertRejects(log.putBlob(blobName(large), large), 'hub-too-large', 'a blob of one byte too many');
    assert.equal(await log.getBlob(blobName(large)), null);
  }),
];
