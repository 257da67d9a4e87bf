import { ReadableStream } from 'node:stream/web';

/** The same bytes; `end` is called when they were read, failed, or nobody wants them any more. */
export function endWith(from: ReadableStream<Uint8Array>, end: () => Promise<void>): ReadableStream<Uint8Array> {
  const reader = from.getReader();
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        await end();
      },
      cancel: async (reason) => {
        await reader.cancel(reason);
        await end();
      },
    },
    { highWaterMark: 0 },
  );
}
