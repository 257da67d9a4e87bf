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

  async add() {
    const member = fork(program, { env: this.#environment, stdio: 'inherit' });
    this.#living.push(member);
    await once(member, 'message');
  }

  /** Kills the one that has lived longest, amid whatever it does. */
  async replaceOne() {
    const member = this.#living.shift();
    member.kill('SIGKILL');
    this.kills += 1;
    await Promise.all([once(member, 'exit'), this.add()]);
  }

  async close() {
    await Promise.all(this.#living.map(async (member) => {
      member.kill('SIGKILL');
      await once(member, 'exit');
    }));
  }
}
