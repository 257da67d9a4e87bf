#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { run } from './run.ts';

/** Read when it is asked for: nothing else needs it. Beside the folder that this file is in once it is built. */
function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}

process.exitCode = await run(process.argv.slice(2), version);
