import { expect, test } from 'vitest';
import { BATCH, COMPARE, ENTRIES, entryBlocks, LIMIT, RecordWriter, REMOVE, CLEAR, RULES, SET, BARRIER } from '../../src/disk/map/map-records.ts';
import { MapMachine } from '../../src/disk/map/map-machine.ts';
import { MapSkim } from '../../src/disk/map/map-skim.ts';
import { REPLICATE } from '../../src/disk/replica/replica-kinds.ts';
import { Random } from '../support/random.ts';

const url = 'https://a.example/';
const texts = ['', 'a', 'key', '\u{1f600}', '\ud800', 'x'.repeat(200), 'wide \u4e00'.repeat(30)];

/** Payloads as writers make them, of each kind. */
function payloads(random: Random): [kind: number, payload: Uint8Array][] {
  const text = (): string => texts[random.below(texts.length)] ?? '';
  const by = (): string => (random.below(2) === 0 ? url : `${url}page${text()}`);
  const writer = (): RecordWriter => new RecordWriter();
  const [entries = new Uint8Array(0)] = entryBlocks(writer(), [[text(), text()], [`${text()}2`, text()]]);
  return [
    [SET, writer().set(url, by(), text(), text())],
    [REMOVE, writer().remove(url, by(), text())],
    [CLEAR, writer().clear(url, by())],
    [LIMIT, writer().number(random.below(2 ** 31) * 2 ** 20)],
    [RULES, writer().number(1)],
    [COMPARE, writer().compare(url, by(), { key: text(), expected: random.below(2) === 0 ? null : text(), value: random.below(2) === 0 ? null : text() })],
    [BARRIER, new Uint8Array(0)],
    [ENTRIES, entries],
  ];
}

function damaged(payload: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(payload);
  const at = random.below(bytes.length + 1);
  if (random.below(3) === 0) return bytes.subarray(0, at);
  if (random.below(3) === 0) return Uint8Array.from([...bytes, random.below(256)]);
  bytes[at] = random.below(256);
  return bytes;
}

function verdict(machine: MapMachine | MapSkim, kind: number, payload: Uint8Array): string {
  try {
    machine.reset();
    if (kind === ENTRIES) machine.restore(kind, payload);
    else machine.apply({ kind, session: 1, sequence: 1, payload });
    return 'sound';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('what a map finds to make no sense is found without the map, and nothing else is', () => {
  const verdicts = new Map<string, number>();
  for (let seed = 1; seed <= 1500; seed += 1) {
    const random = new Random(seed);
    for (const [kind, whole] of payloads(random)) {
      for (const payload of [whole, damaged(whole, random)]) {
        const expected = verdict(new MapMachine(url), kind, payload);
        expect(verdict(new MapSkim(url), kind, payload), `seed ${seed}, kind ${kind}: ${Buffer.from(payload).toString('hex')}`).toBe(expected);
        verdicts.set(expected, (verdicts.get(expected) ?? 0) + 1);
      }
    }
  }
  expect([...verdicts.keys()].sort()).toEqual(['journal-damaged', 'sound', 'unknown-record']);
  expect(Math.min(...verdicts.values())).toBeGreaterThan(100);
});

test.each([BATCH, ENTRIES, REPLICATE, 199])('a record of kind %i is for the machine that has the map', (kind) => {
  const skim = new MapSkim(url);
  expect(skim.thorough).toBeNull();
  skim.apply({ kind, session: 1, sequence: 1, payload: new Uint8Array(0) });
  expect(skim.thorough).toBeInstanceOf(MapMachine);
});
