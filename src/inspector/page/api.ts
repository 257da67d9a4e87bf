import type { Failure } from '../messages.ts';

/** What the server has said instead of an answer. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, { error }: Failure) {
    super(error.message);
    this.status = status;
    this.code = error.code;
  }
}

/** Asks the server, by JSON both ways. @throws ApiError */
export async function call<Answer>(name: string, args: object = {}): Promise<Answer> {
  const response = await fetch(`api/${name}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(args) });
  return await answerOf<Answer>(response);
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  if (response.ok) return (await response.json()) as Answer;
  throw new ApiError(response.status, await failureIn(response));
}

async function failureIn(response: Response): Promise<Failure> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Failure;
  } catch {
    return { error: { code: 'unknown', message: text.trim() || `The server answered ${response.status}.` } };
  }
}

/** Where something is to be had that is no JSON. */
export function addressOf(name: string, args: object): string {
  return `api/${name}?q=${encodeURIComponent(JSON.stringify(args))}`;
}

export interface Part {
  readonly bytes: Uint8Array;
  /** Of all of it. */
  readonly size: number;
}

/** A part of a file or a body. @throws ApiError */
export async function part(name: string, args: object, offset: number, length: number): Promise<Part> {
  const response = await fetch(addressOf(name, { ...args, offset, length }));
  if (!response.ok) throw new ApiError(response.status, await failureIn(response));
  return { bytes: new Uint8Array(await response.arrayBuffer()), size: Number(response.headers.get('x-size')) };
}

/** @throws ApiError */
export async function upload(args: object, file: File): Promise<void> {
  const response = await fetch(addressOf('upload', args), { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: file });
  await answerOf(response);
}
