// Starts and stops the example server, and speaks HTTP to one of its tenants.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const example = fileURLToPath(new URL('../../examples/multi-tenant.mjs', import.meta.url));

export class Server {
  #child;
  #port;
  #agent = new Agent({ keepAlive: true });

  static async start(root, tenants) {
    const server = new Server();
    server.#child = spawn(process.execPath, [example, ...tenants], {
      env: { ...process.env, PORT: '0', HOLDFAST_ROOT: root },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: server.#child.stdout });
    const exited = once(server.#child, 'exit').then(([code]) => {
      throw new Error(`the server ended with code ${code} before it listened`);
    });
    const [line] = await Promise.race([once(lines, 'line'), exited]);
    exited.catch(() => {});
    server.#port = Number(/:(\d+)/.exec(line)?.[1]);
    return server;
  }

  /** One request; rejects when the connection breaks. */
  async request(tenant, method, path, body) {
    const request = httpRequest({
      agent: this.#agent,
      host: '127.0.0.1',
      port: this.#port,
      method,
      path,
      headers: { host: tenant, ...(body && { 'content-length': body.length }) },
    });
    request.end(body);
    const [response] = await once(request, 'response');
    return { status: response.statusCode, body: await buffer(response) };
  }

  put(tenant, name, bytes) {
    return this.request(tenant, 'PUT', filePath(name), bytes);
  }

  get(tenant, name) {
    return this.request(tenant, 'GET', filePath(name));
  }

  async visit(tenant) {
    return Number((await this.request(tenant, 'GET', '/visits')).body);
  }

  async stop(signal) {
    const gone = once(this.#child, 'exit');
    this.#child.kill(signal);
    await gone;
    this.#agent.destroy();
  }
}

function filePath(name) {
  return `/files/${name.map(encodeURIComponent).join('/')}`;
}
