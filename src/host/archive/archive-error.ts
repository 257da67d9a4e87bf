import { HoldfastError } from '../../runtime/holdfast-error.ts';

/** What an archive is that cannot be imported; `what` ends a sentence. */
export function archiveError(what: string, options?: { readonly cause?: unknown }): HoldfastError {
  return new HoldfastError('archive-damaged', `The archive cannot be imported: ${what.replace(/\.$/, '')}. Nothing was changed.`, options);
}
