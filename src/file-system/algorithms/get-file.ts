import type { Entry } from '../entry.ts';
import { handleError } from '../errors.ts';

/** https://fs.spec.whatwg.org/#dom-filesystemfilehandle-getfile */
export async function getFile(entry: Entry, context: string): Promise<File> {
  const { system } = entry;
  system.requireOpen(context);
  const earlier = system.before(entry.locator);
  if (earlier !== undefined) await earlier;
  try {
    return await system.tree.file(entry.locator);
  } catch (error) {
    throw handleError(error, entry, context);
  }
}
