import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { DamagedChunk } from './backup-error.ts';
import type { Previous } from './capture-context.ts';
import type { ChunkStore } from './chunk-store.ts';
import { decodeLines, type Line, type ListedFile } from './listing.ts';
import type { BackedUpOrigin } from './manifest.ts';

export const NO_PREVIOUS: Previous = { files: new Map(), marks: new Map() };

/** The lines of an origin's listing. @throws DamagedChunk; HoldfastError backup-damaged */
export async function* linesOf(store: ChunkStore, { listing }: Pick<BackedUpOrigin, 'listing'>): AsyncGenerator<Line, void> {
  for (const chunk of listing) yield* decodeLines(await store.get(chunk));
}

/** What can be gone by; nothing where any of it is damaged or missing, for then all is to be stored again. */
export async function readPrevious(store: ChunkStore, origin: BackedUpOrigin): Promise<Previous> {
  const files = new Map<string, ListedFile>();
  const marks = new Map<string, string>();
  try {
    for await (const line of linesOf(store, origin)) {
      if (line.kind === 'file' && !line.file.chunks.every((chunk) => store.has(chunk))) return NO_PREVIOUS;
      if (line.kind === 'file') files.set(line.file.path, line.file);
      if (line.kind === 'mark') marks.set(line.path, line.mark);
    }
    return { files, marks };
  } catch (error) {
    if (error instanceof DamagedChunk || (error instanceof HoldfastError && error.code === 'backup-damaged')) return NO_PREVIOUS;
    throw error;
  }
}
