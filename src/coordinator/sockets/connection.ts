import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { atTaskEnd, runTask } from '../../runtime/whole-task.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { whenPatienceEnds } from './patience.ts';

/** One end of a connection: frames in, frames out; what is sent in one task goes out as one. */
export class Connection {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  /** Called with each part of a frame that is not whole yet: a large one may be long under way. */
  onPart: (() => void) | null = null;
  readonly #onFrame: (frame: Buffer) => void;
  /** What was sent first in this task; null: nothing was. */
  #first: Uint8Array | null = null;
  #isCorked = false;
  readonly #flush = (): void => this.#leave();

  /** `onEnd` is called once. Neither may throw; a frame that `onFrame` throws at ends the connection. */
  constructor(socket: Socket, onFrame: (frame: Buffer) => void, onEnd: () => void) {
    this.#socket = socket;
    this.#onFrame = onFrame;
    socket.on('data', (chunk: Buffer) => runTask(() => this.#take(chunk)));
    // What went wrong does not matter: whoever waits for something is told that it ended.
    socket.on('error', () => socket.destroy());
    socket.on('close', onEnd);
  }

  #take(chunk: Buffer): void {
    try {
      this.#reader.push(chunk, this.#onFrame);
      if (this.#reader.isAmid) this.onPart?.();
    } catch {
      this.#socket.destroy();
    }
  }

  send(message: readonly unknown[]): void {
    this.sendFrame(encodeFrame(message));
  }

  sendFrame(frame: Uint8Array): void {
    if (this.#socket.destroyed) return;
    if (this.#isCorked) return void this.#socket.write(frame);
    if (this.#first !== null) return this.#cork(this.#first, frame);
    this.#first = frame;
    atTaskEnd(this.#flush);
  }

  #cork(first: Uint8Array, second: Uint8Array): void {
    this.#isCorked = true;
    this.#socket.cork();
    this.#socket.write(first);
    this.#socket.write(second);
  }

  #leave(): void {
    const first = this.#first;
    this.#first = null;
    if (this.#socket.destroyed) return;
    if (this.#isCorked) this.#socket.uncork();
    else if (first !== null) this.#socket.write(first);
    this.#isCorked = false;
  }

  /** Whether the process waits for it. */
  keepAlive(isWanted: boolean): void {
    if (isWanted) this.#socket.ref();
    else this.#socket.unref();
  }

  end(): void {
    this.#socket.destroy();
  }

  /** Ends it once the other side can read all that was sent, or after so many milliseconds. */
  finish(milliseconds: number): void {
    this.#leave();
    const forget = whenPatienceEnds(milliseconds, () => this.#socket.destroy());
    this.#socket.once('close', forget);
    this.#socket.end(() => this.#socket.destroy());
  }
}
