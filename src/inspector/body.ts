import { badRequest, Refused } from './failure.ts';

/** Bytes of a request: a value of localStorage may be the whole of a large quota, in escapes. */
const MOST_BYTES = 2 ** 26;

/** @throws Refused */
export async function readJson(request: Request): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new Refused(413, 'too-large', `A request has at most ${MOST_BYTES} bytes.`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw badRequest('A request carries JSON.');
  }
}
