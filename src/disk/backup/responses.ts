import fs from 'node:fs';
import path from 'node:path';
import { inspect } from '../verify/generation.ts';
import type { CaptureContext } from './capture-context.ts';
import { isDirectoryAt } from './entries.ts';
import type { JournalPart } from './journal-part.ts';

/**
 * Takes the responses that the index of a bucket's caches names, as it was taken. A response is there before the record
 * that names it, and is never changed; but it may have been replaced since, and be gone.
 *
 * @throws Moved
 */
export async function takeResponses(bucket: string, relative: string, index: JournalPart, context: CaptureContext): Promise<void> {
  const { taken, draft, previous } = context;
  const [directory, below] = [path.join(bucket, 'caches/responses'), `${relative}/caches/responses`];
  if (isDirectoryAt(directory)) taken.directories.push(below);
  const file = taken.files.find((each) => each.path === `${index.relative}/${index.generation}`);
  if (file === undefined || file.kept !== null) return context.keepBelow(below);
  const copy = draft.next();
  fs.writeFileSync(copy, file.content, { mode: 0o600 });
  const machine = await context.code.createCacheMachine();
  inspect(index.directory, index.generation, machine, copy);
  const walk = context.walk();
  for (const cache of machine.caches.values()) {
    for (const { file: name } of cache) {
      const kept = previous.files.get(`${below}/${name}`);
      if (kept !== undefined) taken.files.push({ path: `${below}/${name}`, kept });
      else walk.takeFile(path.join(directory, name), `${below}/${name}`);
    }
  }
}
