// The processes, of which one is killed every half second and followed by another.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('member.mjs', import.meta.url));

export class Members {
  kills = 0;
  #living = [];
  #environment;

  constructor(environment) {
    this.#environment = { ...process.env, ...environment };
  }

  /** @param own what only this one is told */
  async add(own = {}) {
    const member = fork(program, { env: { ...this.#environment, ...own }, stdio: 'inherit' });
    this.#living.push({ member, own });
    await once(member, 'message');
  }

  /** Kills the one that has lived longest, amid whatever it does. */
  async replaceOne() {
    const { member, own } = this.#living.shift();
    member.kill('SIGKILL');
    this.kills += 1;
    const isGone = once(member, 'exit');
    // It may have a port that the next one takes.
    if ('PORT' in own) await isGone;
    await Promise.all([isGone, this.add(own)]);
  }

  async close() {
    await Promise.all(this.#living.map(async ({ member }) => {
      member.kill('SIGKILL');
      await once(member, 'exit');
    }));
  }
}
