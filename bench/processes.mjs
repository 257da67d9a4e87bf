// Contestants as processes (or pages) that take one order at a time, so that their rounds can be interleaved.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openInChromium } from './chromium.mjs';
import { contestants } from './contestants.mjs';
import { binaries } from './peers.mjs';

const child = fileURLToPath(new URL('child.mjs', import.meta.url));

function command(contestant, root) {
  if (contestants[contestant].runtime === 'deno') {
    return [binaries.deno, 'run', '-A', '--location', `http://${root.replace(/\W+/g, '-').slice(1)}.example`, child];
  }
  const flags = contestant === 'node' ? [`--localstorage-file=${join(root, 'node.sqlite')}`] : [];
  return [binaries.node, '--no-warnings', ...flags, child];
}

class Contestant {
  #process;
  #lines;

  static async open(area, contestant, root) {
    const [binary, ...args] = command(contestant, root);
    const opened = new Contestant();
    opened.#process = spawn(binary, [...args, area, contestant, root], { stdio: ['pipe', 'pipe', 'ignore'] });
    opened.#lines = createInterface({ input: opened.#process.stdout })[Symbol.asyncIterator]();
    await opened.#answer();
    return opened;
  }

  async #answer() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('ended before it answered');
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  async round(work) {
    this.#process.stdin.write(`${JSON.stringify(work)}\n`);
    return (await this.#answer()).nanoseconds;
  }

  async close() {
    const gone = this.#process.exitCode === null ? once(this.#process, 'exit') : undefined;
    this.#process.stdin.end();
    await gone;
  }
}

/** Starts one contestant in one area. Rejects, saying why, when it cannot take part. */
export function open(area, scope, contestant, root) {
  return contestants[contestant].runtime === 'chromium'
    ? openInChromium(area, scope)
    : Contestant.open(area, contestant, root);
}
