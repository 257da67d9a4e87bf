import { TreeError } from '../../disk/tree/tree-error.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { domException } from '../../webidl/dom-exception.ts';
import type { Entry } from '../entry.ts';
import { entryError } from '../errors.ts';

/** Another region may replace a file while its content is fetched; that often in a row it is no coincidence. */
const ATTEMPTS = 16;

/**
 * Does something with the content of a file, which is fetched first when it is not on this disk. For other files it
 * costs nothing.
 *
 * @throws DOMException NotReadableError when it cannot be fetched; what `use` throws
 */
export async function withContent<T>(entry: Entry, context: string, use: () => T | Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await use();
    } catch (error) {
      if (!isElsewhere(error) || attempt === ATTEMPTS) throw error;
      await fetchContent(entry, context, error);
    }
  }
}

function isElsewhere(error: unknown): boolean {
  return error instanceof TreeError && error.code === 'elsewhere';
}

async function fetchContent({ system, locator }: Entry, context: string, missing: unknown): Promise<void> {
  if (system.fetch === null) throw missing;
  try {
    await system.fetch(locator);
  } catch (error) {
    throw isOfHub(error) ? notFetched(context, `/${locator.join('/')}`, error) : error;
  }
  if (!system.isOpen) throw entryError('InvalidStateError', context, locator, 'is not open: the client was closed');
}

function isOfHub(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code.startsWith('hub-');
}

function notFetched(context: string, path: string, error: HoldfastError): DOMException {
  const message = `${context}: '${path}' was written in another region, and its content cannot be fetched: ${error.message}`;
  return domException('NotReadableError', message, error);
}
