import fs from 'node:fs';
import path from 'node:path';
import type { Folders } from '../../wpt/realm/config.ts';
import { checkoutPath, oursPath, projectRoot } from '../../wpt/project.ts';

/** Tests that run real tests of the web platform need them fetched; `npm test` alone does not. */
export const hasCheckout = fs.existsSync(path.join(checkoutPath, 'resources', 'testharness.js'));

export const folders: Folders = { checkout: checkoutPath, ours: oursPath, examples: path.join(projectRoot, 'examples') };
