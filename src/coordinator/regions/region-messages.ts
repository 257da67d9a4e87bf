import type { Call } from '../call.ts';
import { MovedError } from '../errors.ts';
import type { Reply } from '../messages.ts';
import { CALL, callMessage, failedFrame, MOVED, readCall, readFailed, readReply, REPLY } from '../sockets/messages.ts';
import { decodeFrame, encodeFrame, FrameError, LARGEST_FRAME } from '../sockets/frames.ts';
import type { CoordinatorKey } from '../store.ts';

/*
 * What regions say to each other: one POST with a CALL, as processes of one root send them, and an answer that is a REPLY,
 * a MOVED or a FAILED. An empty request asks whether anybody is there. Nothing of it is trusted to have its form.
 */
export const CONTENT_TYPE = 'application/vnd.holdfast-coordinator';

/** Bytes of a request, and of an answer. */
export const LARGEST_BODY = LARGEST_FRAME;

export function encodeCall(key: CoordinatorKey, call: Call): Uint8Array {
  return encodeFrame(callMessage(0, key, call), call.args);
}

/** @throws FrameError */
export function decodeCall(bytes: Uint8Array): { key: CoordinatorKey; call: Call } {
  const message = decodeFrame(bytes);
  if (message[0] !== CALL) throw new FrameError('This is no call.');
  return readCall(message);
}

export function encodeReply({ kind, bytes }: Reply): Uint8Array {
  return encodeFrame([REPLY, 0, kind], bytes);
}

export function encodeFailure(error: unknown): Uint8Array {
  return failedFrame(0, error);
}

/** @throws MovedError, CoordinatorError: what the answer says; FrameError */
export function decodeAnswer(bytes: Uint8Array): Reply {
  const message = decodeFrame(bytes);
  if (message[0] === REPLY) return readReply(message);
  if (message[0] === MOVED) throw new MovedError();
  throw readFailed(message);
}

/**
 * The bytes of a body, whatever it says of its length.
 *
 * @throws RangeError beyond `most` bytes
 */
export async function readBody(body: ReadableStream<Uint8Array> | null, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (body !== null) {
    const reader = body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      length += parts[parts.push(part.value) - 1]?.length ?? 0;
      if (length <= most) continue;
      await reader.cancel().catch(() => undefined);
      throw new RangeError(`A body of more than ${most} bytes is too long.`);
    }
  }
  return joined(parts, length);
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
