import fs from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** Memory-backed where there is such a disk: these tests are about order, not about disks. */
const base = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
const made: string[] = [];

/** A directory for one test, deleted after it. */
export function temporaryDirectory(): string {
  const directory = fs.mkdtempSync(join(base, 'holdfast-journal-'));
  made.push(directory);
  return directory;
}

afterEach(() => {
  for (const directory of made.splice(0)) fs.rmSync(directory, { recursive: true, force: true });
});
