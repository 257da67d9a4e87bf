import { define } from '../runtime/define.ts';
import type { OpenRange } from '../runtime/disk-range.ts';

/**
 * Has the response give its body in the one buffer that it is read into: the runtimes' own `arrayBuffer()` copies it
 * twice, and keeps each copy until the whole heap is collected. One whose body was used, locked or cloned does as the
 * runtime has it: parts of a cloned body are the clone's, too.
 */
export function giveWhole(response: Response, { stream, readAll }: OpenRange): Response {
  const arrayBuffer = (): Promise<ArrayBuffer> => {
    if (response.body !== stream || response.bodyUsed || stream.locked) return Response.prototype.arrayBuffer.call(response);
    const bytes = readAll();
    void stream.getReader().cancel(); // so the body is used, and locked, as any that is being read
    return bytes;
  };
  return define(response, 'arrayBuffer', { value: arrayBuffer, writable: true, configurable: true });
}
