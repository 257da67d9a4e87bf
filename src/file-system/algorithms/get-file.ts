import type { Entry } from '../entry.ts';
import { handleError } from '../errors.ts';
import { withContent } from './with-content.ts';

/** https://fs.spec.whatwg.org/#dom-filesystemfilehandle-getfile */
export async function getFile(entry: Entry, context: string): Promise<File> {
  const { system } = entry;
  system.requireOpen(context);
  const earlier = system.before(entry.locator);
  if (earlier !== undefined) await earlier;
  try {
    const file = await withContent(entry, context, () => system.tree.file(entry.locator));
    system.meter?.opened();
    return file;
  } catch (error) {
    throw handleError(error, entry, context);
  }
}
