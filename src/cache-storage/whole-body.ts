import { define } from '../runtime/define.ts';

type BodyStream = ReadableStream<Uint8Array<ArrayBuffer>>;

/**
 * Has the response give the bytes of a body of `size` bytes as they come from the disk: the runtimes' own `arrayBuffer()`
 * copies them twice. One whose body was used, locked or cloned does as the runtime has it: parts of a cloned body are the
 * clone's, too.
 */
export function giveWhole(response: Response, stream: BodyStream, size: number): Response {
  const arrayBuffer = (): Promise<ArrayBuffer> => {
    if (response.body !== stream || response.bodyUsed || stream.locked) return Response.prototype.arrayBuffer.call(response);
    return readWhole(stream, size);
  };
  return define(response, 'arrayBuffer', { value: arrayBuffer, writable: true, configurable: true });
}

async function readWhole(stream: BodyStream, size: number): Promise<ArrayBuffer> {
  const reader = stream.getReader();
  const first = await reader.read();
  if (!first.done && isAll(first.value, size)) return first.value.buffer;
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (let next = first; !next.done; next = await reader.read()) {
    bytes.set(next.value, filled);
    filled += next.value.byteLength;
  }
  return bytes.buffer;
}

/** Whether a chunk is the whole body, and its buffer nothing else. */
function isAll({ byteLength, buffer }: Uint8Array<ArrayBuffer>, size: number): boolean {
  return byteLength === size && buffer.byteLength === size;
}
