import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileFromDisk } from '../../src/runtime/disk-file.ts';
import { runtime } from '../../src/runtime/runtime.ts';

export const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-file-'));

/** Small and large enough for each way of reading (in this thread, in another, in several chunks). */
export const SIZES = [0, 1, 4096, 64 * 1024 + 1, 3 * 2 ** 20 + 7];

export function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) bytes[index] = (index * 7 + (index >> 8) * 13) & 0x7f;
  return bytes;
}

let written = 0;

export function write(content: string | Uint8Array): string {
  const file = path.join(directory, `file-${(written += 1)}`);
  fs.writeFileSync(file, content);
  return file;
}

export function fileOf(file: string, name = 'name.txt', type = 'text/plain'): Promise<File> {
  return fileFromDisk({ path: file, name, type, state: fs.lstatSync(file) });
}

export async function collect(stream: ReadableStream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export function equal(actual: ArrayBuffer | Uint8Array, expected: Uint8Array): void {
  const bytes = new Uint8Array(actual as ArrayBuffer);
  assert.equal(bytes.byteLength, expected.byteLength);
  assert.equal(Buffer.compare(bytes, expected), 0);
}

/** Every way to the bytes of a file, whatever its size; DEVIATIONS.md lists what a runtime's own blobs cannot do. */
export const READERS: Readonly<Record<string, (file: File, expected: Uint8Array) => Promise<void>>> = {
  arrayBuffer: async (file, expected) => equal(await file.arrayBuffer(), expected),
  bytes: async (file, expected) => equal(await file.bytes(), expected),
  text: async (file, expected) => assert.equal(await file.text(), Buffer.from(expected).toString()),
  stream: async (file, expected) => equal(await collect(file.stream() as ReadableStream), expected),
  'stream into buffers of the reader': async (file, expected) => equal(await collectOwn(file), expected),
  slice: async (file, expected) => {
    for (const [start, end] of [[0, 10], [1, -1], [-5, undefined], [5, 2], [100, 1e9], [2.7, 3.9]] as const) {
      const slice = file.slice(start, end);
      assert.equal(slice.size, expected.slice(start, end).byteLength);
      equal(await slice.arrayBuffer(), expected.slice(start, end));
      equal(await collect(slice.stream() as ReadableStream), expected.slice(start, end));
      equal(await slice.slice(1, -1).arrayBuffer(), expected.slice(start, end).slice(1, -1));
      equal(await new Response(slice).arrayBuffer(), expected.slice(start, end));
    }
  },
  Response: async (file, expected) => {
    const response = new Response(file);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain/);
    equal(await response.arrayBuffer(), expected);
  },
  'Request and its clone': async (file, expected) => {
    const request = new Request('http://localhost/', { method: 'POST', body: file });
    const clone = request.clone();
    equal(await request.arrayBuffer(), expected);
    equal(await clone.arrayBuffer(), expected);
  },
  Blob: async (file, expected) => {
    const blob = new Blob([file]);
    assert.equal(blob.size, expected.byteLength);
    equal(await blob.arrayBuffer(), expected);
    equal(await new File([file], 'other').arrayBuffer(), expected);
  },
  'Blob of several parts': async (file, expected) => {
    const blob = new Blob(['<', file, '>']);
    equal(await blob.arrayBuffer(), Buffer.concat([Buffer.from('<'), expected, Buffer.from('>')]));
  },
  FormData: async (file, expected) => {
    const form = new FormData();
    form.append('field', file);
    const sent = (await new Response(form).formData()).get('field');
    assert.ok(sent instanceof File);
    assert.equal(sent.name, 'name.txt');
    equal(await sent.arrayBuffer(), expected);
  },
  structuredClone: async (file, expected) => {
    const clone = structuredClone(file);
    assert.equal(clone.size, expected.byteLength);
    equal(await clone.arrayBuffer(), expected);
  },
};

/** What cannot work on a runtime, and is listed in DEVIATIONS.md. */
export const IMPOSSIBLE: Readonly<Record<string, readonly string[]>> = {
  node: [],
  deno: ['structuredClone'],
  bun: ['Blob of several parts'],
};

export const isImpossible = (reader: string): boolean => IMPOSSIBLE[runtime]?.includes(reader) === true;

async function collectOwn(file: File): Promise<Uint8Array> {
  const reader = (file.stream() as ReadableStream).getReader({ mode: 'byob' });
  const chunks: Uint8Array[] = [];
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(10_000));
    if (done) return Buffer.concat(chunks);
    chunks.push(value);
  }
}
