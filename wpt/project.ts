import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json; the bundled runner and the tests that import it lie at different depths. */
export const projectRoot = findUpwards(dirname(fileURLToPath(import.meta.url)));

/** Where the tests of the web platform are, or a link to them. Git ignores it. */
export const checkoutPath = join(projectRoot, 'wpt', 'checkout');

/** Our own tests; the realms see them under the URL path /ours/. */
export const oursPath = join(projectRoot, 'wpt', 'ours');

/** An error of use: one line for the user, no stack, exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

function findUpwards(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('No package.json above the runner.');
  return findUpwards(parent);
}
