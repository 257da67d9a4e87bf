// A provider of payments that fails: before it has charged, or after, when nobody hears of it.
import { once } from 'node:events';
import { createServer } from 'node:http';

export class Provider {
  /** How often each key was asked for; each is charged once. */
  charges = new Map();
  refusals = 0;
  silences = 0;
  #server = createServer((request, response) => this.#answer(request, response));

  async open() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  #answer({ url }, response) {
    if (Math.random() < 0.2) {
      this.refusals += 1;
      return response.writeHead(503).end();
    }
    const key = url.slice(1);
    this.charges.set(key, (this.charges.get(key) ?? 0) + 1);
    if (Math.random() < 0.1) {
      this.silences += 1;
      return response.destroy();
    }
    setTimeout(() => response.writeHead(201).end(), Math.random() * 20);
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
