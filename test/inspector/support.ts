import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
// What the door finds beside its code once it is built.
import '../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../src/index.ts';
import { inspector, type InspectorOptions } from '../../src/inspector/index.ts';
import type { Failure, News } from '../../src/inspector/messages.ts';

export const ORIGIN = 'https://a.example';

/** A page's own request, as a browser sends it. */
const OWN = { 'sec-fetch-site': 'same-origin', origin: 'http://localhost' };

export interface Answer<T = unknown> {
  readonly status: number;
  readonly body: T;
}

export interface Inspected {
  readonly root: string;
  readonly host: StorageHost;
  readonly handler: (request: Request) => Promise<Response>;
  get(place: string, headers?: Record<string, string>): Promise<Response>;
  content(name: string, args: object): Promise<Response>;
  put(args: object, body: Uint8Array<ArrayBuffer> | string): Promise<Answer>;
  /** @throws when it is refused */
  ask<T>(name: string, args?: object): Promise<T>;
  /** What it is refused with. */
  refusal(name: string, args?: object): Promise<{ readonly status: number; readonly code: string; readonly message: string }>;
}

/** Where tens of thousands of directories are made and removed in a second, if there is such a place. */
const IN_MEMORY = '/dev/shm';

export function temporary({ isVast = false } = {}): string {
  const folder = fs.mkdtempSync(path.join(isVast && fs.existsSync(IN_MEMORY) ? IN_MEMORY : os.tmpdir(), 'holdfast-inspector-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'root');
}

/** A root, and an inspector of it by another host, as another process has one. */
export function inspected(options: InspectorOptions = {}, root = temporary()): Inspected {
  const host = new StorageHost({ root });
  const looking = new StorageHost({ root });
  const ended = new AbortController();
  const handler = inspector(looking, { ...options, signal: ended.signal });
  onTestFinished(async () => {
    ended.abort();
    await looking.close();
    await host.close();
  });
  const send = (place: string, init: RequestInit & { duplex?: 'half' } = {}): Promise<Response> => handler(new Request(`http://localhost${place}`, { ...init, headers: { ...OWN, ...(init.headers as Record<string, string>) } }));
  const post = (name: string, args: object): Promise<Response> => send(`/api/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(args) });
  return {
    root,
    host,
    handler,
    get: (place, headers = {}) => send(place, { headers }),
    content: (name, args) => send(`/api/${name}?q=${encodeURIComponent(JSON.stringify(args))}`),
    put: async (args, body) => {
      const response = await send(`/api/upload?q=${encodeURIComponent(JSON.stringify(args))}`, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body });
      return { status: response.status, body: await response.json() };
    },
    ask: async <T>(name: string, args: object = {}) => {
      const response = await post(name, args);
      const body: unknown = await response.json();
      if (!response.ok) throw new Error((body as Failure).error.message);
      return body as T;
    },
    refusal: async (name, args = {}) => {
      const response = await post(name, args);
      const { error } = (await response.json()) as Partial<Failure>;
      return { status: response.status, code: error?.code ?? '', message: error?.message ?? '' };
    },
  };
}

/** What a stream of server-sent events says has changed, one after another. */
export async function* newsOf(response: Response): AsyncGenerator<News> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) if (block.startsWith('data: ')) yield JSON.parse(block.slice('data: '.length)) as News;
  }
}

export async function write(host: StorageHost, names: readonly string[], content: string | Uint8Array<ArrayBuffer>, origin = ORIGIN): Promise<void> {
  let directory = await host.origin(origin).storage.getDirectory();
  for (const name of names.slice(0, -1)) directory = await directory.getDirectoryHandle(name, { create: true });
  const file = await directory.getFileHandle(names.at(-1) ?? '', { create: true });
  const writable = await file.createWritable();
  await writable.write(content);
  await writable.close();
}
