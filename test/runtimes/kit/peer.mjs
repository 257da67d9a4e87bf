import { start } from './program.mjs';

/**
 * Another process at the same root: see ../programs/peer.mjs for what it can be told. `on`: of which runtime; this one's by
 * default. `key`: 64 hexadecimal digits, where it encrypts.
 */
export async function startPeer(root, { on, key } = {}) {
  const peer = new Peer(start('peer', { args: key === undefined ? [root] : [root, key], on }));
  await peer.answer();
  return peer;
}

class Peer {
  events = [];
  #program;

  constructor(program) {
    this.#program = program;
  }

  /** Tells it something and waits for its answer. */
  ask(...words) {
    this.tell(...words);
    return this.answer();
  }

  tell(...words) {
    this.#program.send(JSON.stringify(words));
  }

  async answer() {
    for (;;) {
      const { event, error, answer } = JSON.parse(await this.#program.line());
      if (event === undefined) return error === undefined ? answer : { error };
      this.events.push(event);
    }
  }

  /** Waits until it has told of as many events. */
  async eventCount(count) {
    while (this.events.length < count) {
      const { event } = JSON.parse(await this.#program.line());
      if (event === undefined) throw new Error('it answered a question that nobody asked');
      this.events.push(event);
    }
    return this.events;
  }

  kill() {
    return this.#program.kill();
  }

  /** Lets it end by itself. */
  async leave() {
    await this.ask('leave');
    const { code, signal, stderr } = await this.#program.ended;
    if (code !== 0) throw new Error(`it ended with ${code ?? signal}: ${stderr}`);
  }
}
