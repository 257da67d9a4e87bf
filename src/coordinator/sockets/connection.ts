import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { afterMicrotasks } from '../../runtime/microtasks.ts';
import { encodeFrame, FrameReader } from './frames.ts';

/** One end of a connection: messages in, messages out; what is sent in one task goes out as one. */
export class Connection {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  #isCorked = false;

  /** `onEnd` is called once. Neither may throw; a message that `onMessage` throws at ends the connection. */
  constructor(socket: Socket, onMessage: (message: readonly unknown[]) => void, onEnd: () => void) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk, onMessage));
    // What went wrong does not matter: whoever waits for something is told that it ended.
    socket.on('error', () => socket.destroy());
    socket.on('close', onEnd);
  }

  #take(chunk: Buffer, onMessage: (message: readonly unknown[]) => void): void {
    try {
      for (const message of this.#reader.push(chunk)) onMessage(message);
    } catch {
      this.#socket.destroy();
    }
  }

  send(message: readonly unknown[], bytes?: Uint8Array): void {
    if (this.#socket.destroyed) return;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      afterMicrotasks(() => {
        this.#isCorked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(encodeFrame(message, bytes));
  }

  /** Whether the process waits for it. */
  keepAlive(isWanted: boolean): void {
    if (isWanted) this.#socket.ref();
    else this.#socket.unref();
  }

  end(): void {
    this.#socket.destroy();
  }
}
