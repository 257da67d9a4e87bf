import { archiveError } from './archive-error.ts';
import type { TarEntry } from './tar-reader.ts';

/** What of an entry is taken into memory at once, in bytes. Parts are about a thousandth of it, unless one thing in them is larger. */
const MOST_BYTES = 2 ** 29;

/** @throws HoldfastError archive-damaged */
export async function wholeContent(entry: TarEntry): Promise<Buffer> {
  if (entry.size > MOST_BYTES) throw archiveError(`its entry '${entry.path}' is too large`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.content()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function wholeText(entry: TarEntry): Promise<string> {
  return (await wholeContent(entry)).toString('utf8');
}

/** An object of JSON, of which nothing is known. @throws HoldfastError archive-damaged */
export async function wholeJson(entry: TarEntry): Promise<Readonly<Record<string, unknown>>> {
  const value = parse(await wholeText(entry), entry.path);
  if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>;
  throw archiveError(`its entry '${entry.path}' makes no sense`);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw archiveError(`its entry '${path}' is no JSON`, { cause });
  }
}
