// A region's way to the hub: TCP that can be cut off as a network does it, by silence.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

export class Proxy {
  #server = createServer({ allowHalfOpen: false, pauseOnConnect: true }, (socket) => this.#accept(socket));
  #links = new Set();
  #target;
  #isCut = false;

  /** Leads to a port of this machine. */
  static async open(target) {
    const proxy = new Proxy();
    proxy.#target = target;
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port() {
    return this.#server.address().port;
  }

  #accept(near) {
    const far = connect(this.#target, '127.0.0.1');
    const link = { near, far };
    this.#links.add(link);
    const end = () => {
      this.#links.delete(link);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    if (!this.#isCut) join(link);
  }

  /** From now on nothing gets through, and nobody is told. */
  cut() {
    this.#isCut = true;
    for (const { near, far } of this.#links) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  /** What was held back arrives, late, as it does in a network. */
  mend() {
    this.#isCut = false;
    for (const link of this.#links) join(link);
  }

  close() {
    this.#server.close();
    for (const { near, far } of this.#links) {
      near.destroy();
      far.destroy();
    }
  }
}

function join({ near, far }) {
  near.pipe(far);
  far.pipe(near);
}
