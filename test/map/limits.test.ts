import { afterEach, expect, test } from 'vitest';
import { MapJournal } from '../../src/disk/map/map-journal.ts';
import { entryBlocks, RecordReader, RecordWriter } from '../../src/disk/map/map-records.ts';
import { newPlace, newSession, ownUrl, removePlaces } from './temporary-bucket.ts';

afterEach(removePlaces);

test.each([Infinity, 1e300, 2 ** 60, 100.9])('a quota of %s leaves a map that everybody can read', (quota) => {
  const place = newPlace();
  const first = new MapJournal(place, { url: ownUrl, quota });
  expect(first.client(newSession(), ownUrl).set('key', 'value')).toEqual({ accepted: true });
  const second = new MapJournal(place, { url: ownUrl });
  expect(second.client(newSession(), ownUrl).get('key')).toBe('value');
  first.close();
  second.close();
});

test.each([-1, NaN])('a quota of %s is refused before anything is written', (quota) => {
  const place = newPlace();
  expect(() => new MapJournal(place, { url: ownUrl, quota })).toThrow(RangeError);
  expect(place.ensured).toBe(0);
});

test('no record holds a number that no reader takes', () => {
  for (const number of [Infinity, NaN, -1, 0.5, 2 ** 53]) expect(() => new RecordWriter().number(number)).toThrow(RangeError);
});

test('a large entry has a block to itself, so that the block is no larger than the record that set it', () => {
  const large = 'x'.repeat(100_000);
  const small = Array.from({ length: 5 }, (_, index): [string, string] => [`key ${index}`, 'y'.repeat(1000)]);
  const blocks: string[][] = [];
  for (const payload of entryBlocks(new RecordWriter(), [...small, ['large', large], ...small])) {
    const keys: string[] = [];
    new RecordReader().entries(payload, (key) => keys.push(key));
    blocks.push(keys);
  }
  const smallKeys = small.map(([key]) => key);
  expect(blocks).toEqual([smallKeys, ['large'], smallKeys]);
});
