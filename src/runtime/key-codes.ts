import type { HoldfastErrorCode } from './holdfast-error.ts';

/** Whether an error says that an origin cannot be used for want of its keys: to the web, storage that cannot be had. */
export function isAboutKeys(code: HoldfastErrorCode): boolean {
  return code.startsWith('key') || code === 'not-encrypted';
}
