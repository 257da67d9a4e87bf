import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** The path of a root that does not exist yet, for one test. */
export function temporaryRoot(): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-libraries-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'root');
}
