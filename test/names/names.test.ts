import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { staysItselfWhenFolded } from '../../src/disk/names/folding.ts';
import { decodeName, decodeSpelling, encodeName } from '../../src/disk/names/name.ts';

const RUNS = { numRuns: 3000 };

/** At least as coarse as every volume: full case folding, compatibility forms, ignorable characters, trailing dots. */
function fold(component: string): string {
  return component
    .normalize('NFKC')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .replace(/[. ]+$/, '');
}

const HARD = [
  '%', '%25', '%41', '%{', '%{41}', '%{1f600}', '%~', '.new-', '.', '..', ' ', '~', '~1', 'con', 'CON', 'nul.txt', 'Aux', 'com1', 'COM¹',
  'a', 'A', 'é', 'e\u0301', 'E\u0301', '\u212b', '\u00c5', 'ß', 'ss', 'SS', 'ẞ', 'ſ', 's', 'K', 'k', '\u212a', 'ﬁ', 'fi', 'İ', 'i', 'ı', 'I', 'Σ', 'σ', 'ς',
  'µ', 'μ', '가', '\u1100\u1161', 'が', 'か\u3099', '\u200d', '\ufeff', '\0', '\n', '\x7f', '\x85', ':', '\\', '/', '"', '\ud83d', '\ude00', '😀',
  '\ufffd', '\u2028', 'a'.repeat(100), '日'.repeat(90), 'ａ', '²', '\u0345', 'ͅ', '_', '=', '-',
];

const name = fc
  .array(fc.oneof(fc.constantFrom(...HARD), fc.string({ unit: 'binary', maxLength: 4 }), fc.string({ unit: 'grapheme', maxLength: 4 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) => parts.join(''))
  .filter((text) => text !== '');

/** A pair that is likely to meet: the second is made of the first by changes that volumes fold away. */
const pair = fc.oneof(
  fc.tuple(name, name),
  name.chain((text) =>
    fc.tuple(
      fc.constant(text),
      fc.constantFrom(
        text.toUpperCase(), text.toLowerCase(), text.normalize('NFD'), text.normalize('NFC'), text.normalize('NFKC'), `${text}.`, `${text} `,
        encodeName(text, false).component, encodeName(text, true).component, encodeName(text, false).long?.spelling ?? `.${text}`, fold(text),
      ),
    ),
  ),
).filter(([a, b]) => a !== b && b !== '');

function roundTrip(text: string, foldsNames: boolean): string | null {
  const { component, long } = encodeName(text, foldsNames);
  const decoded = decodeName(component, foldsNames);
  if (decoded === null) return null;
  if ('name' in decoded) return decoded.name;
  expect(decoded.spellingFile).toBe(long?.file);
  return decodeSpelling(component, long?.spelling ?? '', foldsNames);
}

describe('a readable name stays as it is', () => {
  const readable = ['a', 'index.html', '.gitignore', '.hidden', 'a..b', 'Read Me (1).txt', '日本語.txt', 'é', '👨‍👩‍👧', "it's", 'a+b=c,d;e@f!g#h$i&j', '[x]{y}'];
  it.each(readable)('%s', (text) => {
    expect(encodeName(text, false)).toEqual({ component: text, long: null });
  });

  it.each(['index.html', 'é', '日本語.txt', '한국어', 'привет', '🎉', 'ねこ'])('%s, also on a volume that folds', (text) => {
    expect(encodeName(text, true)).toEqual({ component: text, long: null });
  });

  it('up to 255 bytes of UTF-8', () => {
    expect(encodeName('é'.repeat(127), false).component).toBe('é'.repeat(127));
    expect(encodeName('é'.repeat(128), false).long).not.toBeNull();
  });
});

describe('what a volume cannot hold is escaped', () => {
  it.each([
    ['a/b', 'a%2fb'],
    ['100%', '100%25'],
    ['10:30', '10%3a30'],
    ['nul.txt', '%6eul.txt'],
    ['COM1', '%43OM1'],
    ['end.', 'end%2e'],
    ['end ', 'end%20'],
    ['.', '%2e'],
    ['..', '.%2e'],
    ['', '%{}'],
    ['\0', '%00'],
    ['\ud800', '%{d800}'],
    ['.new-x', '%2enew-x'],
  ])('%j is %s', (text, component) => {
    expect(encodeName(text, false).component).toBe(component);
  });

  it('letters that fold, on a volume that folds', () => {
    expect(encodeName('README', true).component).toBe('%52%45%41%44%4d%45');
    expect(encodeName('e\u0301', true).component).toBe('e%{301}');
  });
});

describe.each([false, true])('names and components (a volume that folds: %s)', (foldsNames) => {
  it('every name comes back exactly', () => {
    fc.assert(fc.property(name, (text) => roundTrip(text, foldsNames) === text), RUNS);
  });

  it('two names never meet', () => {
    const seen = (text: string): string => {
      const { component } = encodeName(text, foldsNames);
      return foldsNames ? fold(component) : component;
    };
    fc.assert(fc.property(pair, ([a, b]) => seen(a) !== seen(b)), RUNS);
  });

  it('a component can be created anywhere', () => {
    fc.assert(
      fc.property(name, (text) => {
        const { component, long } = encodeName(text, foldsNames);
        for (const part of long === null ? [component] : [component, long.file]) {
          expect(Buffer.byteLength(part)).toBeLessThanOrEqual(255);
          expect(Buffer.from(part).toString()).toBe(part);
          expect(part).not.toMatch(/^(\.\.?)?$|^\.new-|[/\\:*?"<>|\0-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        }
        expect(encodeName(component, foldsNames).component === component).toBe(!component.includes('%') && long === null);
      }),
      RUNS,
    );
  });

  it('a foreign component is nobody’s, or exactly the one that its name gets', () => {
    fc.assert(
      fc.property(name, (component) => {
        const decoded = decodeName(component, foldsNames);
        if (decoded === null || 'spellingFile' in decoded) return true;
        return encodeName(decoded.name, foldsNames).component === (foldsNames ? component.normalize('NFC') : component);
      }),
      RUNS,
    );
  });
});

describe('long names', () => {
  const long = 'a readable start, '.repeat(1000);

  it('keep a readable start and one component, whatever the length', () => {
    expect(encodeName(long, false).component).toMatch(/^a readable start, (?:[a-z, ]+)%~[0-9a-f]{64}$/);
    expect(roundTrip(long, false)).toBe(long);
  });

  it('do not believe a spelling that is torn or belongs to another name', () => {
    const { component, long: spelled } = encodeName(long, false);
    const spelling = spelled?.spelling ?? '';
    expect(decodeSpelling(component, spelling.slice(0, -1), false)).toBeNull();
    expect(decodeSpelling(component, '', false)).toBeNull();
    expect(decodeSpelling(component, `${spelling}x`, false)).toBeNull();
    expect(decodeSpelling(component, spelling, false)).toBe(long);
  });

  it('the file that keeps the spelling is no entry', () => {
    expect(decodeName(encodeName(long, false).long?.file ?? '', false)).toBeNull();
  });
});

it('no character that stays itself folds into another one or melts into its neighbour', () => {
  const owners = new Map<string, string>();
  for (let code = 0x20; code <= 0x10ffff; code += 1) {
    const character = String.fromCodePoint(code);
    if (!staysItselfWhenFolded(character)) continue;
    const folded = character.normalize('NFKD').toLowerCase();
    expect(owners.get(folded) ?? character).toBe(character);
    owners.set(folded, character);
    // Its folded form starts with a base and goes on with marks or the tail of a syllable, so that a row of them parses one way.
    expect(folded).toMatch(/^[^\p{M}\u1160-\u11ff][\p{M}\u1160-\u11ff]*$/u);
  }
  expect(owners.size).toBeGreaterThan(30_000);
});
