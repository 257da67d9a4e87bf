import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { putUint32 } from '../../src/disk/journal/bytes.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { encodeFrame, FRAME_OVERHEAD } from '../../src/disk/journal/frame.ts';
import { Magic } from '../../src/disk/journal/magic.ts';
import { isHarmless } from '../../src/disk/verify/finding.ts';
import { bucketOf, change, compact, framesOf, generationOf, JOURNALS, journalOf, ORIGIN, sampleRoot, temporary, verify } from './sample.ts';

afterEach(() => vi.restoreAllMocks());

/** Everything below a directory, with what it holds and when that changed. */
function inventory(directory: string): string[] {
  return fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort().map((name) => {
    const stats = fs.lstatSync(path.join(directory, name));
    const content = stats.isFile() ? fs.readFileSync(path.join(directory, name)).toString('hex') : '';
    return `${name} ${stats.mtimeMs} ${stats.ctimeMs} ${content}`;
  });
}

test('a root that nothing happened to is clean, and nothing in it is written or opened to be', async () => {
  const root = await sampleRoot();
  compact(root, 2);
  const before = inventory(root);
  const open = vi.spyOn(fs, 'openSync');
  const writers = (['writeSync', 'writeFileSync', 'linkSync', 'unlinkSync', 'renameSync', 'rmSync', 'mkdirSync', 'utimesSync', 'ftruncateSync'] as const).map((name) => vi.spyOn(fs, name));
  expect(verify(root)).toEqual({ origins: 1, journals: 6, findings: [], unauthenticated: [] });
  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND } = fs.constants;
  for (const [, flags] of open.mock.calls) expect(Number(flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)).toBe(0);
  expect(open.mock.calls.length).toBeGreaterThanOrEqual(5);
  for (const writer of writers) expect(writer).not.toHaveBeenCalled();
  vi.restoreAllMocks();
  expect(inventory(root)).toEqual(before);
});

describe.each(JOURNALS)('in %s', (journal) => {
  test('a record with another byte is found in its place, be it the last', async () => {
    const root = await sampleRoot();
    const file = generationOf(root, journal);
    const whole = fs.readFileSync(file);
    const { frames, snapshot } = framesOf(journalOf(root, journal));
    const records = frames.slice(snapshot);
    expect(records.length).toBeGreaterThanOrEqual(2);
    for (const { from, to } of [records[0], records.at(-1)].filter((record) => record !== undefined)) {
      for (const at of [3, 18, 30, 42, to - from - 5, to - from - 1]) {
        fs.writeFileSync(file, whole);
        change(file, from + at);
        const { findings } = verify(root);
        const place = { kind: 'damaged', origin: ORIGIN, bucket: 'default', journal, path: file, offset: from, length: to - from };
        expect(findings.filter(({ kind }) => kind !== 'quota'), `byte ${at}`).toEqual([{ ...place, message: expect.stringMatching(/\. .*\.$/) }]);
      }
    }
  });

  test('a record of which a killed process wrote a part is harmless', async () => {
    const root = await sampleRoot();
    const file = generationOf(root, journal);
    const whole = fs.readFileSync(file);
    const { frames, snapshot } = framesOf(journalOf(root, journal));
    const { from, to } = frames[snapshot] ?? { from: 0, to: 0 };
    for (const length of [1, 15, 16, 30, 43, 44, 45, to - from - 1]) {
      for (const rest of [whole.subarray(from), Buffer.alloc(0)]) {
        fs.writeFileSync(file, Buffer.concat([whole.subarray(0, from), whole.subarray(from, from + length), rest]));
        const findings = verify(root).findings.filter(({ kind }) => kind !== 'quota');
        expect(findings).toEqual([expect.objectContaining({ kind: 'torn', journal, path: file, offset: from, length })]);
        expect(findings.every(isHarmless)).toBe(true);
      }
    }
  });

  test.each([
    ['header', /header|start/],
    ['snapshot', /snapshot/],
  ] as const)('a damaged %s is found, and what it costs', async (part, message) => {
    const root = await sampleRoot();
    const file = generationOf(root, journal);
    change(file, part === 'header' ? 20 : 36 + 20);
    const findings = verify(root).findings.filter(({ kind }) => kind !== 'quota');
    expect(findings).toEqual([expect.objectContaining({ kind: 'damaged', journal, path: file, offset: part === 'header' ? 0 : 36, message: expect.stringMatching(message) })]);
  });

  test('a header of a newer version, and a record of a kind that is not known, are newer', async () => {
    const root = await sampleRoot();
    const file = generationOf(root, journal);
    const whole = fs.readFileSync(file);
    const record = { kind: 199, session: 77, sequence: 1, payload: new Uint8Array(3) };
    const frame = new Uint8Array(FRAME_OVERHEAD + 3);
    encodeFrame(frame, 0, new Magic(whole.subarray(16, 32)), record);
    fs.appendFileSync(file, frame);
    expect(verify(root).findings).toContainEqual(expect.objectContaining({ kind: 'newer', path: file, offset: whole.length, length: frame.length }));
    putUint32(whole, 8, 3);
    putUint32(whole, 32, crc32(whole, 0, 32));
    fs.writeFileSync(file, whole);
    expect(verify(root).findings).toContainEqual(expect.objectContaining({ kind: 'newer', path: file, offset: 0 }));
  });
});

test('any byte of a journal that is wrong is found, in its place', async () => {
  const root = await sampleRoot();
  const file = generationOf(root, 'local-storage');
  const whole = fs.readFileSync(file);
  const { frames, snapshot } = framesOf(journalOf(root, 'local-storage'));
  const start = frames[snapshot]?.from ?? 0;
  for (let offset = 0; offset < whole.length; offset += 1) {
    const bytes = Buffer.from(whole);
    bytes[offset] = (bytes[offset] ?? 0) ^ 0x80;
    fs.writeFileSync(file, bytes);
    const { findings } = verify(root);
    const place = frames.find(({ to }) => offset < to);
    expect(findings, `byte ${offset}`).toEqual([expect.objectContaining({ kind: 'damaged', path: file })]);
    if (offset >= start) expect(findings, `byte ${offset}`).toMatchObject([{ offset: place?.from, length: (place?.to ?? 0) - (place?.from ?? 0) }]);
  }
});

test('a journal that is cut at any byte is damaged within its snapshot, and torn behind', async () => {
  const root = await sampleRoot();
  const file = generationOf(root, 'local-storage');
  const whole = fs.readFileSync(file);
  const { frames, snapshot } = framesOf(journalOf(root, 'local-storage'));
  const start = frames[snapshot]?.from ?? 0;
  for (let length = 0; length < whole.length; length += 1) {
    fs.writeFileSync(file, whole.subarray(0, length));
    const isWhole = length === start || frames.some(({ to }) => to === length && to > start);
    const expected = length < start ? ['damaged'] : isWhole ? [] : ['torn'];
    expect(verify(root).findings.map(({ kind }) => kind), `cut to ${length}`).toEqual(expected);
  }
});

test('two damaged records, and a torn one between, are three findings', async () => {
  const root = await sampleRoot();
  const file = generationOf(root, 'local-storage');
  const whole = fs.readFileSync(file);
  const { frames, snapshot } = framesOf(journalOf(root, 'local-storage'));
  const [first, second] = frames.slice(snapshot + 1);
  if (first === undefined || second === undefined) throw new Error('too few records');
  const torn = whole.subarray(first.from, first.from + 50);
  fs.writeFileSync(file, Buffer.concat([whole.subarray(0, first.to), torn, whole.subarray(first.to)]));
  change(file, first.from + 17);
  change(file, second.from + torn.length + 17);
  expect(verify(root).findings).toMatchObject([
    { kind: 'damaged', offset: first.from, length: first.to - first.from },
    { kind: 'torn', offset: first.to, length: torn.length },
    { kind: 'damaged', offset: second.from + torn.length, length: second.to - second.from },
  ]);
});

describe('generations', () => {
  test('damage in one that is not read any more costs nothing, and is found', async () => {
    const root = await sampleRoot();
    compact(root, 2);
    change(generationOf(root, 'local-storage'), 20);
    const message = expect.stringContaining('generation 1 has taken its place');
    expect(verify(root).findings).toEqual([expect.objectContaining({ kind: 'damaged', path: generationOf(root, 'local-storage'), message })]);
  });

  test('bytes after an effective SEAL mean nothing', async () => {
    const root = await sampleRoot();
    compact(root, 2);
    fs.appendFileSync(generationOf(root, 'local-storage'), 'anything at all'.repeat(10));
    expect(verify(root).findings).toEqual([]);
  });

  test('a candidate that a SEAL names is the generation, whole or damaged', async () => {
    const root = await sampleRoot();
    compact(root, 2);
    const journal = journalOf(root, 'local-storage');
    const magic = fs.readFileSync(path.join(journal, '1')).subarray(16, 32).toString('hex');
    const candidate = path.join(journal, 'cand', `1.${magic}`);
    fs.renameSync(path.join(journal, '1'), candidate);
    expect(verify(root).findings).toEqual([]);
    change(candidate, 60);
    expect(verify(root).findings).toEqual([expect.objectContaining({ kind: 'damaged', path: candidate, offset: 36 })]);
    fs.truncateSync(candidate, 100);
    expect(verify(root).findings.map(({ kind }) => kind)).toEqual(['cut-short', 'torn']);
  });

  test('one that a SEAL names and that is nowhere is told', async () => {
    const root = await sampleRoot();
    compact(root, 2);
    fs.rmSync(path.join(journalOf(root, 'local-storage'), '1'));
    const { findings } = verify(root);
    expect(findings).toEqual([expect.objectContaining({ kind: 'cut-short', path: generationOf(root, 'local-storage') })]);
    expect(findings.every(isHarmless)).toBe(false);
  });

  test('what a killed compaction leaves is harmless', async () => {
    const root = await sampleRoot();
    const candidate = path.join(journalOf(root, 'local-storage'), 'cand', `1.${'5a'.repeat(16)}`);
    fs.mkdirSync(path.dirname(candidate), { recursive: true });
    fs.writeFileSync(candidate, fs.readFileSync(generationOf(root, 'local-storage')).subarray(0, 70));
    expect(verify(root).findings).toEqual([expect.objectContaining({ kind: 'torn', path: candidate, length: 70 })]);
  });

  test('that vanish while they are looked at, for the journal moves on, are no finding', async () => {
    const root = await sampleRoot();
    const file = generationOf(root, 'local-storage');
    const real = fs.lstatSync;
    let moves = 0;
    vi.spyOn(fs, 'lstatSync').mockImplementation(((...args: Parameters<typeof fs.lstatSync>) => {
      const [at] = args;
      if (path.dirname(String(at)) === path.dirname(file) && /^[0-9]+$/.test(path.basename(String(at))) && moves < 5) {
        moves += 1;
        vi.mocked(fs.lstatSync).mockImplementation(real as typeof fs.lstatSync);
        compact(root, 0);
        vi.restoreAllMocks();
        return real(...args);
      }
      return real(...args);
    }) as typeof fs.lstatSync);
    expect(verify(root)).toEqual({ origins: 1, journals: 6, findings: [], unauthenticated: [] });
    expect(moves).toBe(1);
    expect(fs.existsSync(file)).toBe(false);
  });

  test('a journal without any is damaged, and so is a missing one', async () => {
    const root = await sampleRoot();
    fs.rmSync(generationOf(root, 'locks'));
    fs.rmSync(journalOf(root, 'local-storage'), { recursive: true });
    expect(verify(root).findings).toMatchObject([
      { kind: 'damaged', journal: 'local-storage', path: journalOf(root, 'local-storage') },
      { kind: 'damaged', journal: 'locks', path: journalOf(root, 'locks') },
    ]);
  });
});

describe.skipIf(process.platform === 'win32')('links', () => {
  test.each([
    ['a generation', (root: string) => generationOf(root, 'local-storage')],
    ['a journal', (root: string) => journalOf(root, 'local-storage')],
    ['a bucket', bucketOf],
    ['an origin', (root: string) => path.dirname(bucketOf(root))],
  ])('in place of %s are found and not followed', async (_what, place) => {
    const root = await sampleRoot();
    const target = place(root);
    const elsewhere = path.join(temporary(), 'elsewhere');
    fs.cpSync(target, elsewhere, { recursive: true });
    fs.rmSync(target, { recursive: true });
    fs.symlinkSync(elsewhere, target);
    const { findings } = verify(root);
    expect(findings).toHaveLength(1);
    expect(findings).toMatchObject([{ path: target }]);
    expect(findings.every(isHarmless)).toBe(false);
  });
});

test('a damaged origin.json is found, and the rest is looked at', async () => {
  const root = await sampleRoot();
  const file = path.join(bucketOf(root), '..', 'origin.json');
  fs.writeFileSync(file, '{');
  expect(verify(root)).toMatchObject({ origins: 1, journals: 6, findings: [{ kind: 'damaged', origin: ORIGIN, path: path.resolve(file) }] });
});

test("somebody else's entries are not looked at", async () => {
  const root = await sampleRoot();
  fs.mkdirSync(path.join(root, 'origins', 'my backup'));
  fs.writeFileSync(path.join(root, 'origins', '.DS_Store'), '');
  fs.mkdirSync(path.join(bucketOf(root), '..', 'old'));
  fs.writeFileSync(path.join(journalOf(root, 'locks'), '0.bak'), 'no journal');
  expect(verify(root)).toEqual({ origins: 1, journals: 6, findings: [], unauthenticated: [] });
});

test('files that the account does not know of are told, and are no damage', async () => {
  const root = await sampleRoot();
  fs.writeFileSync(path.join(bucketOf(root), 'files.0', 'put here'), Buffer.alloc(3 * 2 ** 20));
  const { findings } = verify(root);
  expect(findings).toEqual([expect.objectContaining({ kind: 'quota', journal: 'quota', path: journalOf(root, 'quota') })]);
  expect(findings.every(isHarmless)).toBe(true);
});
