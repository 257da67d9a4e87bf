import fs from 'node:fs';
import { join } from 'node:path';

/** A lower-case letter, and a composed one: what a volume may fold to another case or normalization. */
const PROBE = '.new-probe-\u00e9';

/**
 * Whether the volume of `directory` takes names for one that differ in case or in Unicode normalization, as APFS and
 * NTFS do by default. Creates and removes a file; the answer belongs to the root's format, for names are spelled by it.
 *
 * @throws the operating system's error when the directory cannot be written.
 */
export function volumeFoldsNames(directory: string): boolean {
  const probe = `${PROBE}-${process.pid}-${Math.random().toString(36).slice(2)}`;
  const path = join(directory, probe);
  fs.closeSync(fs.openSync(path, 'wx', 0o600));
  try {
    return [probe.toUpperCase(), probe.normalize('NFD')].some((other) => fs.existsSync(join(directory, other)));
  } finally {
    fs.rmSync(path, { force: true });
  }
}
