// Fills, writes, encrypts or rotates an origin until it is done or killed; says on descriptor 3 how far it has come.
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import '../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../src/index.ts';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { ORIGIN, places, versionOf, type Place, type Work } from './encryption.ts';
import { Versions } from './encryption-client.ts';

const [work = '', root = '', name = '', plain = '', wanted = '', ...hexadecimal] = process.argv.slice(2);
const used = places.filter((place) => wanted.split(',').includes(place));
const [one = new Uint8Array(0), two = one] = hexadecimal.map((key) => Uint8Array.from(Buffer.from(key, 'hex')));
const say = (what: string): unknown => fs.writeSync(3, `${what}\n`);
/** What waits for others who are at it, or is refused while they are. */
const PASSING = new Set(['root-busy', 'NoModificationAllowedError', 'NotReadableError']);

function hostWith(key: Uint8Array, previous: Uint8Array): StorageHost {
  const encryption: EncryptionOptions = { key, previous: [previous], plain: plain === 'migrate' ? 'migrate' : 'refuse' };
  return new StorageHost(plain === 'plain' ? { root } : { root, encryption });
}

async function passing(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    const { name: kind, code } = error as { readonly name?: string; readonly code?: unknown };
    if (PASSING.has(String(code)) || PASSING.has(String(kind))) return false;
    throw error;
  }
}

async function writeAll(versions: Versions, from: Map<Place, number>): Promise<void> {
  for (const place of used) {
    const version = (from.get(place) ?? 0) + 1;
    if (!(await passing(() => versions.write(place, version)))) continue;
    from.set(place, version);
    say(`${place} ${version}`);
  }
}

async function write(): Promise<void> {
  const host = hostWith(one, two);
  const versions = new Versions(host.origin(ORIGIN), name);
  const known = new Map<Place, number>();
  if (work === 'fill') {
    await writeAll(versions, known);
    return host.close();
  }
  for (const place of used) while (!(await passing(async () => known.set(place, versionOf(await versions.read(place), place)))));
  for (;;) {
    await writeAll(versions, known);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function encrypt(): Promise<void> {
  const host = hostWith(one, two);
  say('begun');
  while (!(await passing(() => host.encrypt(ORIGIN)))) say('again');
  await host.close();
  say('encrypted');
}

async function rotate(): Promise<void> {
  const hosts = [hostWith(one, two), hostWith(two, one)];
  for (;;) {
    for (const host of hosts) {
      say('begun');
      await passing(() => host.rekey(ORIGIN, { dataKey: true, files: true }).catch(manyKeys));
    }
  }
}

/** Where files were in use each time, none was forgotten. */
function manyKeys(error: unknown): void {
  if ((error as { readonly code?: unknown }).code !== 'encryption-unsupported') throw error;
}

const works: Record<Work, () => Promise<void>> = { fill: write, write, encrypt, rotate };
await works[work as Work]();
