import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import { decodeOrigin, encodeOrigin } from '../names/origin.ts';
import { rootReadFailure } from './failure.ts';
import type { Root } from './root.ts';

/** An origin of a root, and where it is. */
export interface OriginPlace {
  readonly origin: string;
  readonly path: string;
}

/** The origins of a root, in no order; those that come or go meanwhile may be there or not. @throws HoldfastError */
export function* originsOf(root: Root): Generator<OriginPlace, void> {
  let directory: fs.Dir;
  try {
    directory = fs.opendirSync(root.origins, { bufferSize: 256 });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw rootReadFailure(root.path, error);
  }
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const place = path.join(root.origins, entry.name);
      const origin = entry.isDirectory() ? (decodeOrigin(entry.name) ?? writtenOrigin(place)) : null;
      if (origin !== null && bucketsOf(place).length > 0) yield { origin, path: place };
    }
  } finally {
    directory.closeSync();
  }
}

/** What is too long to be read back from the name of its directory. */
function writtenOrigin(place: string): string | null {
  try {
    const { origin } = JSON.parse(fs.readFileSync(path.join(place, 'origin.json'), 'utf8')) as { origin?: unknown };
    return typeof origin === 'string' && encodeOrigin(origin) === path.basename(place) ? origin : null;
  } catch {
    return null;
  }
}

/** The names of the directories of an origin's buckets, in order. */
export function bucketsOf(origin: string): string[] {
  try {
    const names = fs.readdirSync(origin, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
    return names.map(({ name }) => name).filter((name) => fs.existsSync(path.join(origin, name, 'locks'))).sort();
  } catch {
    return [];
  }
}
