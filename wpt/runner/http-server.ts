import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Folders } from '../realm/config.ts';
import { readServed, type ServedFile } from '../realm/files.ts';

/** What a response is made of, before it is sent. */
interface Answer {
  status: number;
  readonly headers: http.OutgoingHttpHeaders;
  body: Buffer;
}

type Handler = (url: URL, request: http.IncomingMessage, response: http.ServerResponse) => void;

/**
 * The tests' own server, as far as they ask for more than files: what upstream has in Python is here by the same paths
 * and does the same. https://web-platform-tests.org/writing-tests/server-features.html
 */
export class TestServer {
  readonly #folders: Folders;
  readonly #server: http.Server;
  /** What one request leaves for another, which takes it. */
  readonly #stash = new Map<string, string>();

  constructor(folders: Folders) {
    this.#folders = folders;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
  }

  /** @returns its origin */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'https://web-platform.test:8443');
    const handler = this.#handlers[url.pathname];
    if (handler !== undefined) return handler(url, request, response);
    const answer = this.#file(url);
    for (const pipe of pipesOf(url)) pipe(answer);
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  #file(url: URL): Answer {
    const file = readServed(this.#folders, url) ?? this.#page(url);
    if (file === null) return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('') };
    return { status: 200, headers: { 'content-type': file.type }, body: Buffer.from(file.text) };
  }

  /** What the server makes of a script that is a test. Nobody here runs it. */
  #page(url: URL): ServedFile | null {
    const [, test, kind] = /^(.+\.(?:any|window|worker))\.(html|worker\.js)$/.exec(url.pathname) ?? [];
    if (test === undefined || readServed(this.#folders, new URL(`${test}.js`, url)) === null) return null;
    return kind === 'html' ? { text: '<!doctype html>\n', type: 'text/html' } : { text: '', type: 'text/javascript' };
  }

  readonly #handlers: Readonly<Record<string, Handler>> = {
    '/service-workers/cache-storage/resources/fetch-status.py': ({ searchParams }, _, response) => response.writeHead(Number(searchParams.get('status'))).end(),
    '/service-workers/cache-storage/resources/vary.py': vary,
    '/fetch/api/resources/stash-put.py': ({ searchParams }, _, response) => {
      this.#stash.set(searchParams.get('key') ?? '', searchParams.get('value') ?? '');
      sendJson(response, 'done');
    },
    '/fetch/api/resources/stash-take.py': ({ searchParams }, _, response) => {
      const key = searchParams.get('key') ?? '';
      const value = this.#stash.get(key) ?? null;
      this.#stash.delete(key);
      sendJson(response, value);
    },
    '/xhr/resources/content.py': (_, request, response) => {
      response.writeHead(200, { 'content-type': 'text/plain', 'x-request-method': request.method, 'x-request-content-type': request.headers['content-type'] ?? 'NO' });
      request.pipe(response);
    },
    '/fetch/api/resources/infinite-slow-response.py': (url, _, response) => this.#slowly(url, response),
  };

  /** A body without an end, until a request to the stash says so or nobody listens any more. */
  #slowly({ searchParams }: URL, response: http.ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/plain' });
    this.#stash.set(searchParams.get('stateKey') ?? '', 'open');
    const timer = setInterval(() => {
      if (this.#stash.has(searchParams.get('abortKey') ?? '')) response.end();
      else response.write('.');
    }, 10);
    response.on('close', () => clearInterval(timer));
  }
}

function sendJson(response: http.ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

const OVERRIDE = 'vary-value-override';

function vary({ searchParams }: URL, request: http.IncomingMessage, response: http.ServerResponse): void {
  if (searchParams.has(`clear-${OVERRIDE}-cookie`)) {
    return void response.writeHead(200, { 'set-cookie': `${OVERRIDE}=; Max-Age=0; Path=/` }).end('vary cookie cleared');
  }
  const set = searchParams.get(`set-${OVERRIDE}-cookie`);
  if (set !== null) return void response.writeHead(200, { 'set-cookie': `${OVERRIDE}=${set}; Path=/` }).end('vary cookie set');
  const override = new RegExp(`(?:^|; )${OVERRIDE}=([^;]+)`).exec(request.headers.cookie ?? '')?.[1];
  const value = override ?? searchParams.get('vary') ?? '';
  response.writeHead(200, { 'content-type': 'text/plain', ...(value !== '' && { vary: value }) }).end('vary response');
}

/** https://web-platform-tests.org/writing-tests/server-pipes.html */
function pipesOf({ searchParams }: URL): ((answer: Answer) => void)[] {
  const pipes = (searchParams.get('pipe') ?? '').split('|').filter((pipe) => pipe !== '');
  return pipes.map((pipe) => {
    const [, name = '', list = ''] = /^(\w+)\((.*)\)$/.exec(pipe) ?? [];
    const create = pipeMakers[name];
    if (create === undefined) throw new Error(`The tests' server has no pipe '${pipe}'.`);
    return create(list.split(',').map((argument) => argument.trim()));
  });
}

const pipeMakers: Readonly<Record<string, (list: readonly string[]) => (answer: Answer) => void>> = {
  header: ([name = '', ...value]) => ({ headers }) => void (headers[name.toLowerCase()] = value.join(',')),
  status: ([status]) => (answer) => void (answer.status = Number(status)),
  slice: ([start, end]) => (answer) => void (answer.body = answer.body.subarray(bound(start) ?? 0, bound(end))),
};

function bound(value: string | undefined): number | undefined {
  return value === undefined || value === 'null' ? undefined : Number(value);
}
