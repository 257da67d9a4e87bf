import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { PayloadWriter } from '../journal/payload-writer.ts';

/*
 * The payloads of a bucket's channels. docs/FORMAT.md, "Channels", is the same in words.
 *
 *   MESSAGE  flags, the channel's name, the value as Values has it
 *   COUNT    how many messages there were before     (in snapshots only)
 */
export const MESSAGE = 1;
export const COUNT = 2;

const NAME_WIDE = 1;

const writer = new PayloadWriter();
const reader = new PayloadReader((why) => new HoldfastError('journal-damaged', `A record of a channel has a valid checksum but makes no sense: ${why}.`));

export function encodeMessage(name: string, value: Uint8Array): Uint8Array {
  writer.begin(1, name.length);
  writer.byte(0);
  if (writer.string(name)) writer.mark(0, NAME_WIDE);
  const head = writer.finish();
  const payload = new Uint8Array(head.length + value.length);
  payload.set(head);
  payload.set(value, head.length);
  return payload;
}

/** The value is a copy. */
export function decodeMessage(payload: Uint8Array): { readonly name: string; readonly value: Uint8Array } {
  reader.begin(payload);
  const flags = reader.byte();
  if (flags > NAME_WIDE) throw new HoldfastError('unknown-record', 'A message of a channel has what only a newer version of Holdfast knows.');
  const name = reader.string(flags === NAME_WIDE);
  const value = new Uint8Array(reader.rest());
  return { name, value };
}

export function encodeCount(count: number): Uint8Array {
  writer.begin(0, 0);
  writer.integer(count);
  return new Uint8Array(writer.finish());
}

export function decodeCount(payload: Uint8Array): number {
  reader.begin(payload);
  const count = reader.integer();
  reader.end();
  return count;
}
