import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Folders } from '../realm/config.ts';
import { readServed } from '../realm/files.ts';
import type { Test } from '../runner/discover.ts';

/**
 * The tests' own server in small: the files, and for a script the page that runs it. On localhost, since a browser takes
 * that for a secure context.
 */
export class TestServer {
  readonly #folders: Folders;
  readonly #server: http.Server;

  constructor(folders: Folders) {
    this.#folders = folders;
    this.#server = http.createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The page that runs a test, in the window or in a worker of it. */
  urlOf(test: Test): string {
    const { port } = this.#server.address() as AddressInfo;
    const page = new URL(`http://localhost:${port}/run/${test.variant}/${test.file}${test.query}`);
    for (const script of test.scripts) page.searchParams.append('script', script);
    return page.href;
  }

  #answer(request: http.IncomingMessage, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const file = url.pathname.startsWith('/run/') ? runnerPage(url) : readServed(this.#folders, url);
    response.writeHead(file === null ? 404 : 200, { 'content-type': `${file?.type ?? 'text/plain'}; charset=utf-8`, 'cache-control': 'no-store' });
    response.end(file?.text ?? '');
  }
}

/** Pages live beside the test's own path, so that relative URLs lead where they should. */
function runnerPage(url: URL): { text: string; type: string } {
  const [, , variant = '', ...rest] = url.pathname.split('/');
  const scripts = url.searchParams.getAll('script').map((script) => new URL(script, `http://localhost/${rest.join('/')}`).pathname);
  if (variant === 'worker.js') return { text: workerScript(scripts), type: 'text/javascript' };
  const head = '<!doctype html><meta charset="utf-8"><title>test</title><script src="/resources/testharness.js"></script>';
  const report = `<script>add_completion_callback((tests, status) => { self.finished = { status: { status: status.status, message: status.message }, tests: tests.map(({ name, status, message }) => ({ name, status, message })) }; });</script>`;
  return { text: `${head}${report}<body>${bodyOf(variant, url, scripts)}</body>`, type: 'text/html' };
}

function bodyOf(variant: string, url: URL, scripts: readonly string[]): string {
  const ownScripts = scripts.filter((script) => script !== '/resources/testharness.js');
  if (variant === 'any' || variant === 'window') return ownScripts.map((script) => `<script src="${script}"></script>`).join('');
  const worker = variant === 'worker' ? scripts[0] : `/run/worker.js/${url.pathname.split('/').slice(3).join('/')}${url.search}`;
  return `<script>fetch_tests_from_worker(new Worker(${JSON.stringify(worker)}));</script>`;
}

function workerScript(scripts: readonly string[]): string {
  const kind = 'self.GLOBAL = { isWindow: () => false, isWorker: () => true, isShadowRealm: () => false };';
  return `${kind}\nimportScripts(${scripts.map((script) => JSON.stringify(script)).join(', ')});\ndone();\n`;
}
