import type { ReadableStream } from 'node:stream/web';
import { endWith } from '../ending.ts';
import type { Arguments } from '../arguments.ts';
import type { Content } from '../call.ts';
import { openBucket } from '../context.ts';
import { badRequest, Refused } from '../failure.ts';
import { imageType, IMAGE_HEAD } from '../images.ts';
import { attachment, data } from '../replies.ts';
import { fileAt, parentOf, requireFree } from './files.ts';

/** Bytes of a part that is looked at, and of a picture. */
const MOST_BYTES = 2 ** 20;
const MOST_IMAGE_BYTES = 2 ** 25;

const BYTES = 'application/octet-stream';

/** A part of a file, as bytes; a picture, if it is one; or all of it, to be saved. */
export const file: Content = {
  run: async (context, args) => {
    const opened = await openBucket(context, args);
    const end = (): Promise<void> => opened.client.end();
    try {
      const names = args.path('path');
      const found = await (await fileAt(await opened.directory(), names)).getFile();
      return await answer(args, found, names.at(-1) ?? 'file', end);
    } catch (error) {
      await end();
      throw error;
    }
  },
};

/** `end` is called when nothing more is read. */
export async function answer(args: Arguments, content: Blob, name: string, end: () => Promise<void>): Promise<Response> {
  const way = args.oneOf('as', ['bytes', 'image', 'download'], 'bytes');
  if (way === 'download') {
    const headers = { 'content-disposition': attachment(name), 'content-length': String(content.size) };
    return data(endWith(content.stream() as unknown as ReadableStream<Uint8Array>, end), { type: BYTES, headers });
  }
  const response = way === 'image' ? await picture(content) : await part(args, content);
  await end();
  return response;
}

async function part(args: Arguments, content: Blob): Promise<Response> {
  const offset = args.integer('offset', Number.MAX_SAFE_INTEGER, 0);
  const length = args.integer('length', MOST_BYTES, 2 ** 16);
  const bytes = await content.slice(offset, offset + length).arrayBuffer();
  return data(bytes, { type: BYTES, headers: { 'x-size': String(content.size) } });
}

/** What begins as a picture does is shown as one, whatever it is called; nothing else is. */
async function picture(content: Blob): Promise<Response> {
  if (content.size > MOST_IMAGE_BYTES) throw new Refused(413, 'too-large', 'The picture is too large to be shown.');
  const type = imageType(new Uint8Array(await content.slice(0, IMAGE_HEAD).arrayBuffer()));
  if (type === null) throw new Refused(415, 'no-image', 'It is no picture that is shown here.');
  return data(await content.arrayBuffer(), { type });
}

/** A file that is sent takes its place when all of it is there. */
export const upload: Content = {
  run: async (context, args, request) => {
    if (request.body === null) throw badRequest('An upload has a body.');
    const opened = await openBucket(context, args);
    try {
      const [parent, name] = await parentOf(await opened.directory(), args.path('path'));
      if (!args.flag('replace')) await requireFree(parent, name);
      const writable = await (await parent.getFileHandle(name, { create: true })).createWritable();
      await writeAll(request.body as unknown as ReadableStream<Uint8Array>, writable);
      return data('{}', { type: 'application/json; charset=utf-8' });
    } finally {
      await opened.client.end();
    }
  },
};

interface Writable {
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
}

async function writeAll(from: ReadableStream<Uint8Array>, to: Writable): Promise<void> {
  try {
    for await (const chunk of from) await to.write(chunk);
    await to.close();
  } catch (error) {
    await to.abort(error).catch(() => undefined);
    throw error;
  }
}
