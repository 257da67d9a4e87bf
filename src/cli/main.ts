#!/usr/bin/env node
import { readFileSync } from 'node:fs';
// What the main door provides too, for this is one more user of a root.
import '../disk/journal/lockfile-provided.ts';
import '../file-system/loaded.ts';
import '../host/sync/provided.ts';
import { hasLoadedKeys } from './keys-option.ts';
import { run } from './run.ts';

/** Read when it is asked for: nothing else needs it. Beside the folder that this file is in once it is built. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

// Whoever reads the output has read enough; or it goes to a disk that has no room for it.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  console.error(`holdfast: the output cannot be written: ${error.message}`);
  process.exit(1);
});

process.exitCode = await run(process.argv.slice(2), version);
// A service that gives keys may have connections open, or never answer: nobody waits for that, once all was put out.
if (hasLoadedKeys()) {
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((written) => stream.write('', () => written()))));
  process.exit();
}
