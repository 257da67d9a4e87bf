// Another process of the same runtime, with the same permissions, running one of ../programs.
import { onParentMessage, request } from './parent.mjs';

const programs = new Map();
let started = 0;

/** `options`: args, env, preload (whether the globals are preloaded). */
export function start(program, options = {}) {
  if (started === 0) onParentMessage(({ id, ...message }) => programs.get(id)?.receive(message));
  const id = ++started;
  const running = new Program(id);
  programs.set(id, running);
  request('start', { id, program, ...options });
  return running;
}

/** Runs a program to its end, and gives the lines that it printed. */
export async function run(program, options) {
  const running = start(program, options);
  const { code, signal, stderr } = await running.ended;
  if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}: ${stderr}`);
  return running.lines;
}

class Program {
  /** What it printed up to now. */
  lines = [];
  #id;
  #waiting = [];
  #read = 0;
  #end;
  #isOver = false;
  /** { code, signal, stderr } */
  ended = new Promise((resolve) => (this.#end = resolve));

  constructor(id) {
    this.#id = id;
  }

  /** The next line that was not read yet. */
  async line() {
    while (this.lines.length <= this.#read) {
      if (this.#isOver) throw new Error(`the program ended: ${JSON.stringify(await this.ended)}`);
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
    return this.lines[this.#read++];
  }

  send(line) {
    request('send', { id: this.#id, line });
  }

  /** Resolves when it is gone. */
  async kill(signal = 'SIGKILL') {
    request('kill', { id: this.#id, signal });
    return this.ended;
  }

  receive({ line, ended }) {
    if (line !== undefined) this.lines.push(line);
    if (ended !== undefined) {
      this.#isOver = true;
      this.#end(ended);
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
