import http from 'node:http';
import { beginMessage, openMessage, readRefusal } from '../../../src/sync/hubs/embedded/protocol.ts';
import { operation, type OperationName, type RequestOf } from '../../../src/sync/hubs/embedded/operations.ts';
import { TOKEN } from './in-process.ts';

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** One request as it is, and what came back. */
export function send(url: string, options: http.RequestOptions & { readonly body?: Uint8Array } = {}): Promise<Answer> {
  const { body = new Uint8Array(), ...rest } = options;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-length': body.length, ...(rest.headers as object) };
    const request = http.request(url, { method: 'POST', agent: false, ...rest, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** What an operation's request is on the wire. */
export function written<Name extends OperationName>(name: Name, request: RequestOf<Name>): Uint8Array {
  const message = beginMessage();
  operation(name).writeRequest(message, request);
  return message.finish();
}

/** One operation, by a token. */
export function ask<Name extends OperationName>(url: string, name: Name, request: RequestOf<Name>, token = TOKEN): Promise<Answer> {
  return send(`${url}/holdfast-hub/${name}`, { body: written(name, request), headers: { authorization: `Bearer ${token}` } });
}

export const refusalIn = (body: Uint8Array) => readRefusal(openMessage(body));
