import assert from 'node:assert/strict';
import { randomUuid } from '../../runtime/random.ts';
import { contractTest } from './contract.ts';
import { assertBytes, bytesOf, entry, readTexts } from './stage.ts';
import { blobName } from './blobs.ts';

/** The longest name, in UTF-16 code units. */
const LONGEST = 512;

/** Names that some engine, file system or query language could take for one another, or for something else. */
function hostileNames(): string[] {
  // Its own in each run, so that the suite can run again on the same data.
  const own = randomUuid();
  const long = (unit: string): string => (own + unit.repeat(LONGEST)).slice(0, LONGEST);
  const suffixes = [
    '', ' ', '  ', 'a', 'A', 'a ', ' a', 'a.', 'a.b', 'a_b', 'a b', 'a*b', 'a/b', 'a\\b', '/a/b', '.', '..', '/..', '/../a', '*', '>', '.>', '.*',
    '$', '%', '%_', '%2e', '%61', "'", "';--", '"', '\0', 'a\0', '\n', '\r\n', '\t', '\u007f', '\u00e9', 'e\u0301', '\u00e5', '\u212b', '\u00df', 'ss',
    '\u0130', 'i', 'I', '\ud800', '\ud801', '\udc00', '\ufffd', '\ud83d\ude00', '\u200b', '\ufeff', '\u2028', 'nul', 'con', '__proto__', 'undefined', 'null',
  ];
  return [...suffixes.map((suffix) => own + suffix), ...suffixes.slice(1).map((suffix) => suffix + own), long('x'), `${long('x').slice(0, -1)}y`, long('x').slice(1), long('\u20ac'), long('\ud800')];
}

export const names = [
  contractTest('logs of different names never meet, however alike the names are', async (stage) => {
    const { hub } = await stage.client();
    const all = hostileNames();
    for (const [index, name] of all.entries()) await hub.log(name).append([entry(`${index} a`), entry(`${index} b`)]);
    const { hub: other } = await stage.client();
    const epochs = new Set<string>();
    for (const [index, name] of all.entries()) {
      const log = other.log(name);
      assert.deepEqual(await readTexts(log), [`${index} a`, `${index} b`], `the log named ${JSON.stringify(name)}`);
      epochs.add((await log.head()).epoch);
    }
    assert.equal(epochs.size, all.length);
  }),

  contractTest('snapshots, trims and blobs of one log do not touch those of another', async (stage) => {
    const { hub } = await stage.client();
    const name = `contract ${randomUuid()}`;
    const [log, ...others] = ['', ' ', '/', '.', '*', '.a', '/a', '>'].map((suffix) => hub.log(name + suffix));
    assert.ok(log !== undefined);
    const blob = bytesOf('blob');
    for (const each of [log, ...others]) await each.append([entry('1'), entry('2')]);
    await log.putSnapshot({ position: 2, bytes: bytesOf('two') });
    await log.putBlob(blobName(blob), blob);
    await log.trim(2);
    for (const other of others) {
      assert.equal(await other.snapshot(), null);
      assert.equal(await other.getBlob(blobName(blob)), null);
      assert.equal((await other.hasBlobs([blobName(blob)])).size, 0);
      assert.deepEqual(await readTexts(other), ['1', '2']);
    }
    assertBytes(await log.getBlob(blobName(blob)), blob, 'the blob');
  }),

  contractTest('special names of a few characters are logs like others', async (stage) => {
    const { hub } = await stage.client();
    for (const name of ['', '.', '..', '/', '*', '>', ' ', '\0', '\ud800', '__proto__']) {
      const log = hub.log(name);
      const { position } = await log.head();
      await log.append([entry(name)]);
      assert.equal((await log.read(position, 10)).length, 1, `the log named ${JSON.stringify(name)}`);
    }
  }),
];
