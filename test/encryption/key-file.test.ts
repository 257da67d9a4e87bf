import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { isKeyOf, MOST_BYTES, openKeyFile, parseKeyFile, sealKeyFile } from '../../src/disk/encryption/key-file.ts';
import { OriginKeys } from '../../src/disk/encryption/origin-keys.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { codeOf } from '../journal/support/client.ts';

const ORIGIN = 'https://a.example';
const rootKey = createSecretKey(randomBytes(32));

function keys(): OriginKeys {
  return OriginKeys.create(ORIGIN, { visibleNames: false, isMigrating: false, kms: Uint8Array.of(1, 2, 3) }).withNewKey();
}

function bytesOf(of: OriginKeys): Buffer {
  return sealKeyFile(rootKey, of.file, ORIGIN);
}

/** What a host does with such a file. */
function open(bytes: Uint8Array, key: KeyObject = rootKey, origin = ORIGIN): OriginKeys | null {
  const file = parseKeyFile(bytes, origin);
  return isKeyOf(key, file, origin) ? new OriginKeys(origin, openKeyFile(key, file, origin)) : null;
}

function exported(of: OriginKeys): string[] {
  return [...of.file.keys].map(([id, key]) => `${id} ${key.export().toString('hex')}`);
}

function repaired(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(crc32(bytes, 0, bytes.length - 4), bytes.length - 4);
  return bytes;
}

test('keys are wrapped and come back, with another salt each time', () => {
  const some = keys();
  const [one, other] = [bytesOf(some), bytesOf(some)];
  expect(one.equals(other)).toBe(false);
  for (const bytes of [one, other]) {
    const found = open(bytes);
    expect(found?.activeId).toBe(2);
    expect(found?.ids).toEqual([1, 2]);
    expect(found && exported(found)).toEqual(exported(some));
    expect(found?.file.kms).toEqual(Buffer.of(1, 2, 3));
  }
});

test('another root key, and the same of another origin, is told before anything is opened', () => {
  const bytes = bytesOf(keys());
  expect(open(bytes, createSecretKey(randomBytes(32)))).toBeNull();
  expect(open(bytes, rootKey, 'https://b.example')).toBeNull();
});

test('each changed byte is found, with its checksum repaired too', () => {
  const bytes = bytesOf(keys());
  const outcomes = new Set<string>();
  for (let at = 0; at < bytes.length - 4; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 + (at % 255));
    expect(codeOf(() => open(changed)), `byte ${at}`).toBe('keys-damaged');
    let code = 'key-wrong';
    const outcome = codeOf(() => {
      if (open(repaired(changed)) !== null) code = 'accepted';
    });
    outcomes.add(outcome === 'nothing was thrown' ? code : outcome);
    expect(code, `byte ${at}`).toBe('key-wrong');
  }
  expect([...outcomes].sort()).toEqual(['key-wrong', 'keys-damaged', 'root-newer']);
});

test('bytes of any kind are an error that says so', () => {
  const bytes = bytesOf(keys());
  for (let round = 0; round < 3000; round++) {
    const hostile = round % 3 === 0 ? randomBytes(round % 400) : Buffer.from(bytes.subarray(0, (round * 7) % bytes.length));
    for (let change = 0; change < round % 9 && hostile.length > 12; change++) hostile[8 + ((round * 31 + change * 17) % (hostile.length - 8))] = round * change;
    if (hostile.length > 8 && round % 2 === 0) bytes.copy(hostile, 0, 0, 8);
    if (hostile.length > 4) repaired(hostile);
    expect(['keys-damaged', 'root-newer'], `round ${round}`).toContain(codeOf(() => open(hostile)));
  }
  expect(codeOf(() => open(Buffer.alloc(MOST_BYTES + 1)))).toBe('keys-damaged');
});

test('two wrapped keys that changed places are found', () => {
  const bytes = bytesOf(keys());
  const first = bytes.length - 36 - 2 * 68;
  const changed = Buffer.from(bytes);
  bytes.copy(changed, first + 4, first + 72, first + 136);
  bytes.copy(changed, first + 72, first + 4, first + 68);
  expect(codeOf(() => open(repaired(changed)))).toBe('keys-damaged');
});

test('nothing that shows an object shows a key', () => {
  const some = keys();
  const secrets = exported(some).map((line) => line.slice(-64));
  const shown = [inspect(some, { depth: 9, showHidden: true }), JSON.stringify(some), inspect(some.file, { depth: 9 }), JSON.stringify(some.file)].join('\n');
  for (const secret of secrets) {
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain(Buffer.from(secret, 'hex').toString('base64').slice(0, 40));
  }
  expect(JSON.parse(JSON.stringify(some))).toEqual({ origin: ORIGIN, activeId: 2, ids: [1, 2] });
});

test('a key is looked up by its id, and never by trying others', () => {
  const some = keys();
  for (const id of [0, 3]) {
    expect(codeOf(() => some.journalCipher(id, randomBytes(16), 'default/locks', ''))).toBe('key-missing');
    expect(codeOf(() => some.fileKey(id, randomBytes(24)))).toBe('key-missing');
  }
  expect(some.only(new Set()).ids).toEqual([2]);
});

test('what is derived differs by key, generation, journal, file and bucket, and is the same each time', () => {
  const some = keys();
  const salts = [Buffer.alloc(24, 1), Buffer.alloc(24, 2)] as const;
  const files = [some.fileKey(1, salts[0]), some.fileKey(1, salts[1]), some.fileKey(2, salts[0])].map((key) => key.export().toString('hex'));
  expect(new Set(files).size).toBe(3);
  expect(some.fileKey(1, salts[0]).export().toString('hex')).toBe(files[0]);
  const names = ['default', 'other'].map((bucket) => {
    const out = new Uint8Array(20);
    some.namesCipher(bucket).seal(Uint8Array.of(1, 2, 3, 4), out, 0);
    return Buffer.from(out).toString('hex');
  });
  expect(new Set(names).size).toBe(2);
  const record = { kind: 1, session: 7, sequence: 9, payload: Uint8Array.of(5, 6) };
  const magics = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)] as const;
  const places = [[1, magics[0], 'default/locks'], [2, magics[0], 'default/locks'], [1, magics[1], 'default/locks'], [1, magics[0], 'default/local-storage']] as const;
  const sealed = places.map((place) => Buffer.from(some.journalCipher(place[0], place[1], place[2], 'journal').seal(record).payload));
  expect(new Set(sealed.map((bytes) => bytes.toString('hex'))).size).toBe(4);
  for (const [index, place] of places.entries()) {
    const opened = sealed.map((payload) => codeOf(() => some.journalCipher(place[0], place[1], place[2], 'journal').open({ ...record, payload })) === 'nothing was thrown');
    expect(opened).toEqual(sealed.map((_, other) => other === index));
  }
});

test('a record opens only as what it was, in each of its bits', () => {
  const cipher = keys().journalCipher(2, Buffer.alloc(16, 1), 'default/locks', '');
  for (const kind of [1, 199, 200, 201]) {
    const record = { kind, session: 2 ** 53 - 1, sequence: 2 ** 32 - 1, payload: Uint8Array.of(1, 2, 3, 4, 5) };
    const payload = Uint8Array.from(cipher.seal(record).payload);
    expect([...cipher.open({ ...record, payload })]).toEqual([1, 2, 3, 4, 5]);
    for (const change of [{ kind: kind === 1 ? 2 : kind - 1 }, { session: 5 }, { sequence: 5 }]) expect(codeOf(() => cipher.open({ ...record, payload, ...change }))).toBe('journal-damaged');
    for (let bit = 0; bit < payload.length * 8; bit++) {
      const changed = Uint8Array.from(payload);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(codeOf(() => cipher.open({ ...record, payload: changed })), `kind ${kind}, bit ${bit}`).toBe('journal-damaged');
    }
    for (let length = 0; length < payload.length; length++) expect(codeOf(() => cipher.open({ ...record, payload: payload.subarray(0, length) }))).toBe('journal-damaged');
  }
});

test('there are no more data keys than a file of keys can have', () => {
  let most = keys();
  while (most.ids.length < 255) most = most.withNewKey();
  expect(most.oldestId).toBe(1);
  expect(codeOf(() => most.withNewKey())).toBe('encryption-unsupported');
  expect(open(bytesOf(most))?.activeId).toBe(255);
});
