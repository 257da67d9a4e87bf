import { createSecretKey } from 'node:crypto';
import { AesSiv } from '../../src/disk/encryption/aes-siv.ts';
import { isKeyOf, openKeyFile, parseKeyFile, sealKeyFile } from '../../src/disk/encryption/key-file.ts';
import { OriginKeys } from '../../src/disk/encryption/origin-keys.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { FRAME_OVERHEAD, HEADER_BYTES } from '../../src/disk/journal/frame.ts';

const ORIGIN = 'https://a.example';
const rootKey = createSecretKey(Buffer.alloc(32, 7));
const keys = OriginKeys.create(ORIGIN, { visibleNames: false, isMigrating: false, kms: new Uint8Array(0) }).withNewKey();
const magics = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)] as const;
const record = { kind: 5, session: 1234, sequence: 9, payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) };

function isTaken(use: () => unknown): boolean {
  try {
    return use() !== false;
  } catch {
    return false;
  }
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

function openFile(bytes: Buffer): boolean {
  bytes.writeUInt32LE(crc32(bytes, 0, bytes.length - 4), bytes.length - 4);
  const file = parseKeyFile(bytes, ORIGIN);
  return isKeyOf(rootKey, file, ORIGIN) && openKeyFile(rootKey, file, ORIGIN).keys.size > 0;
}

/** So many records as they lie in a journal; what opens one of them, and what changes a byte of its payload. */
function chain(count: number): { readonly bytes: number; open(number: number): Uint8Array; change(number: number, at: number): void } {
  const cipher = keys.journalCipher(1, magics[0], 'default/locks', '');
  const bytes = cipher.seal(record).payload.length;
  const frame = bytes + FRAME_OVERHEAD;
  const memory = Buffer.alloc(count * frame);
  for (let number = 0; number < count; number++) {
    const { payload } = cipher.seal({ ...record, sequence: number });
    memory.set(payload, number * frame + HEADER_BYTES);
    memory.writeUInt32LE(payload.length, number * frame + 16);
  }
  const start = (number: number): number => number * frame + HEADER_BYTES;
  return {
    bytes,
    open: (number) => cipher.open({ ...record, sequence: number, payload: memory.subarray(start(number), start(number) + bytes) }),
    change: (number, at) => memory.set([(memory[start(number) + at] ?? 0) ^ 1], start(number) + at),
  };
}

/** Whether a record opens with one of its bytes changed, after those before it were opened; `isSeen`: after it was looked at with them. */
function isTakenAmong(isSeen: boolean): boolean {
  return Array.from({ length: chain(1).bytes }, (_, at) => {
    const { open, change } = chain(8);
    if (!isSeen) change(5, at);
    for (let number = 0; number < 5; number++) open(number);
    if (isSeen) change(5, at);
    return isTaken(() => open(5));
  }).includes(true);
}

/** What somebody who can write to the disk may try, by what it is; each is to fail. */
const attempts: Readonly<Record<string, () => boolean>> = {
  'a changed record': () => {
    const cipher = keys.journalCipher(1, magics[0], 'default/locks', '');
    const payload = Uint8Array.from(cipher.seal(record).payload);
    return [...payload.keys()].some((at) => isTaken(() => cipher.open({ ...record, payload: flipped(payload, at) })));
  },
  'a changed record among others': () => isTakenAmong(false),
  'a record that is changed after it was opened ahead': () => isTakenAmong(true),
  'a record under another kind, session or sequence': () => {
    const cipher = keys.journalCipher(1, magics[0], 'default/locks', '');
    const payload = Uint8Array.from(cipher.seal(record).payload);
    return [{ kind: 6 }, { session: 1 }, { sequence: 8 }].some((change) => isTaken(() => cipher.open({ ...record, payload, ...change })));
  },
  'a record of another generation': () => {
    const payload = Uint8Array.from(keys.journalCipher(1, magics[0], 'default/locks', '').seal(record).payload);
    return isTaken(() => keys.journalCipher(1, magics[1], 'default/locks', '').open({ ...record, payload }));
  },
  'a record of another journal': () => {
    const payload = Uint8Array.from(keys.journalCipher(1, magics[0], 'default/locks', '').seal(record).payload);
    return isTaken(() => keys.journalCipher(1, magics[0], 'default/quota', '').open({ ...record, payload }));
  },
  'a record under another key': () => {
    const payload = Uint8Array.from(keys.journalCipher(1, magics[0], 'default/locks', '').seal(record).payload);
    return isTaken(() => keys.journalCipher(2, magics[0], 'default/locks', '').open({ ...record, payload }));
  },
  'a changed SEAL': () => {
    const cipher = keys.journalCipher(1, magics[0], 'default/locks', '');
    const seal = { kind: 200, session: 0, sequence: 0, payload: new Uint8Array(32) };
    const payload = Uint8Array.from(cipher.seal(seal).payload);
    return [...payload.keys()].some((at) => isTaken(() => cipher.open({ ...seal, payload: flipped(payload, at) })));
  },
  'a snapshot without one of its records': () => {
    const cipher = keys.journalCipher(1, magics[0], 'default/locks', '');
    const of = { ...record, session: 0, sequence: 2 };
    return isTaken(() => cipher.open({ ...of, payload: Uint8Array.from(cipher.seal(of).payload) }, 1));
  },
  'another active key': () => {
    const bytes = sealKeyFile(rootKey, keys.file, ORIGIN);
    bytes.writeUInt32LE(1, 12);
    return isTaken(() => openFile(bytes));
  },
  'keys that changed places': () => {
    const bytes = sealKeyFile(rootKey, keys.file, ORIGIN);
    const first = bytes.length - 36 - 2 * 68;
    const changed = Buffer.from(bytes);
    bytes.copy(changed, first + 4, first + 72, first + 136);
    bytes.copy(changed, first + 72, first + 4, first + 68);
    return isTaken(() => openFile(changed));
  },
  'associated data of another': () => {
    const cipher = new AesSiv(Buffer.alloc(64, 9));
    const sealed = new Uint8Array(20);
    cipher.seal(Uint8Array.of(1, 2, 3, 4), sealed, 0, [Buffer.from('a')]);
    return cipher.open(sealed, new Uint8Array(4), [Buffer.from('b')]);
  },
};

/** Those that do not fail. */
export function successes(): string[] {
  return Object.entries(attempts)
    .filter(([, attempt]) => attempt())
    .map(([what]) => what);
}
