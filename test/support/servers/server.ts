import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Why a server cannot be had on this machine; its adapter's tests are skipped, and say so. */
export class ServerMissing extends Error {}

/** A real server of somebody else's, on a free port of the loopback interface, with its data in a temporary folder. */
export interface RealServer {
  readonly port: number;
  /** Where its data are, in the folder `data`. */
  readonly folder: string;
  /** SIGKILL to all its processes; resolves when they are gone. The data stays. */
  kill(): Promise<void>;
  /** Kills it if it runs, and starts it on the same data and port; resolves when it takes connections. */
  restart(): Promise<void>;
  /** Kills it and removes its data. */
  dispose(): Promise<void>;
}

/** How one kind of server is started. */
export interface ServerProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Resolves once the server works; rejects while it does not. */
  ready(): Promise<void>;
}

/** Who servers run as: they refuse root, or should not have it. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

const PATIENCE = 60_000;
const PAUSE = 25;

/** The user `nobody` when this process is root, for PostgreSQL refuses to run as root; else this process's own. */
export function serverUser(): User {
  if (process.getuid?.() !== 0) return {};
  const entry = /^nobody:[^:]*:(\d+):(\d+):/m.exec(fs.readFileSync('/etc/passwd', 'utf8'));
  if (entry === null) throw new ServerMissing('servers do not run as root, and this machine has no user nobody');
  return { uid: Number(entry[1]), gid: Number(entry[2]) };
}

/** An empty folder that only `user` may look into. */
export function serverFolder(user: User): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-server-'));
  if (user.uid !== undefined && user.gid !== undefined) fs.chownSync(folder, user.uid, user.gid);
  return folder;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = net.createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port');
  probe.close();
  await once(probe, 'close');
  return address.port;
}

/** Repeats `attempt` until it works; the last failure when it never does. */
export async function eventually<T>(attempt: () => Promise<T>, giveUp: () => string | null = () => null): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const reason = giveUp();
      if (reason !== null) throw new Error(reason, { cause: error });
      if (performance.now() > end) throw error;
      await delay(PAUSE);
    }
  }
}

/** The processes that a process has started; only Linux tells. */
function childrenOf(pid: number): number[] {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    // A process that is dead and was not yet waited for has no memory map.
    return process.platform !== 'linux' || fs.readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[0] !== '0';
  } catch {
    return false;
  }
}

function sendKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

/** A server that runs, is killed, and runs again on the data of `folder`. */
export class ServerProcess implements RealServer {
  readonly port: number;
  readonly #program: ServerProgram;
  readonly #user: User;
  readonly folder: string;
  #child: ChildProcess | null = null;
  #output = '';

  constructor(port: number, folder: string, user: User, program: ServerProgram) {
    this.port = port;
    this.folder = folder;
    this.#user = user;
    this.#program = program;
  }

  async restart(): Promise<void> {
    await this.kill();
    // A PostgreSQL whose predecessor was killed may find its shared memory in use for a moment, and ends then.
    await eventually(() => this.#start());
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    // The parent first, stopped, so that it starts no more children while they are counted.
    process.kill(child.pid, 'SIGSTOP');
    const children = childrenOf(child.pid);
    for (const pid of [child.pid, ...children]) sendKill(pid);
    await exited;
    await eventually(() => (children.some(isAlive) ? Promise.reject(new Error('A child of a killed server lives on')) : Promise.resolve()));
  }

  async dispose(): Promise<void> {
    await this.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const child = this.#spawn();
    const ended = () => (child.exitCode === null && child.signalCode === null ? null : `The server ended:\n${this.#output}`);
    try {
      await eventually(() => this.#program.ready(), ended);
      this.#child = child;
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
  }

  #spawn(): ChildProcess {
    const { command, args, env } = this.#program;
    const child = spawn(command, args, { cwd: this.folder, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'], ...this.#user });
    this.#output = '';
    const keep = (text: Buffer) => (this.#output = `${this.#output}${text.toString()}`.slice(-10_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => (this.#output += error.message));
    // A test process that dies must not leave servers behind.
    const end = () => child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    return child;
  }
}

/** Resolves when something takes connections at a port. */
export async function reachable(port: number): Promise<void> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
