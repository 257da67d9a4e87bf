import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RealmConfig } from './config.ts';

/** What passes between a realm and one that it has made in another process. */
export type PeerMessage = { readonly type: 'message'; readonly data: unknown } | { readonly type: 'loaded' };

export const processEntry = fileURLToPath(new URL('./realm-process.mjs', import.meta.url));

/** A worker or window of a test in a process of its own, for tests of what only processes can show. */
export class Peer {
  readonly #child: ChildProcess;

  constructor(config: RealmConfig, listen: (message: PeerMessage) => void) {
    this.#child = spawn(process.execPath, [processEntry, JSON.stringify({ ...config, peer: true })], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', listen);
  }

  postMessage(data: unknown): void {
    this.#child.send({ type: 'message', data } satisfies PeerMessage);
  }

  /** Without a warning, as a crash or an operator would. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** To the realm that made this one. */
export function sendToMaker(message: PeerMessage): void {
  process.send?.(message);
}
