// One region: a root of its own, a way to the hub, and processes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Proxy } from './proxy.mjs';

const program = fileURLToPath(new URL('member.mjs', import.meta.url));

/** One process of a region, which does what it is asked. */
export class Member {
  name;
  /** Steps of its ledger that are known to be done. */
  done = { keys: 0, files: 0 };
  wasKilled = false;
  #child;
  #asked = new Map();
  #next = 0;

  static async start(region, number, engine) {
    const member = new Member();
    member.name = `${region.name}-${number}`;
    member.#child = fork(program, [region.root, region.name, member.name]);
    member.#child.on('message', (message) => member.#hear(message));
    member.#child.once('exit', (code, signal) => member.#ended(code ?? signal));
    await member.ask('open', engine);
    return member;
  }

  ask(what, argument) {
    const id = (this.#next += 1);
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, what, argument }, (error) => error && reject(error));
    });
  }

  #hear({ id, answer, error, done }) {
    if (done !== undefined) {
      this.done = done;
      return;
    }
    const { resolve, reject } = this.#asked.get(id);
    this.#asked.delete(id);
    if (error === undefined) resolve(answer);
    else reject(new Error(`${this.name}: ${error}`));
  }

  #ended(how) {
    for (const { reject } of this.#asked.values()) reject(new Error(`${this.name} ended: ${how}`));
  }

  /** SIGKILL; resolves when it is gone. */
  async kill() {
    this.wasKilled = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

export class Region {
  name;
  root;
  proxy;
  /** All that it ever had. */
  members = [];
  /** From the hub, for a while. */
  wasCut = false;
  #engine;

  static async open(name, folder, hub) {
    const region = new Region();
    region.name = name;
    region.root = join(folder, name);
    region.proxy = await Proxy.open(hub.port);
    region.#engine = hub.engineAt(region.proxy.port);
    return region;
  }

  async addMember() {
    const member = await Member.start(this, this.members.length + 1, this.#engine);
    this.members.push(member);
    return member;
  }

  get living() {
    return this.members.filter(({ wasKilled }) => !wasKilled);
  }

  /** One process that lives. */
  get member() {
    return this.living[0];
  }

  ask(what, argument) {
    return this.member.ask(what, argument);
  }

  async close() {
    await Promise.all(this.members.map((member) => member.kill()));
    this.proxy.close();
  }
}
