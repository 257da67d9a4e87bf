import { askForCollection } from '../../runtime/disk-range.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Swap } from '../tree/swap.ts';
import { encodeHead, type ResponseHead } from './response-head.ts';

/** So much is gathered before it is written. */
const GATHERED_BYTES = 32 * 1024;

/** Up to here a write in this thread costs less than handing it to another. */
const SMALL_BYTES = 64 * 1024;

/**
 * A response that is being stored: a file that no record names yet. It is named by `CacheHandle.put`, or thrown away; that
 * of a realm that was killed goes with the next sweep.
 */
export class ResponseDraft {
  /** The name of its file. */
  readonly name: string;
  readonly #create: () => Swap;
  readonly #onEnd: () => void;
  /** Null before the first bytes are written: what waits for a slow body holds no descriptor. */
  #file: Swap | null = null;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #size = 0;

  /** `create` makes the file; `onEnd` is called when it is named or thrown away. */
  constructor(name: string, head: ResponseHead, create: () => Swap, onEnd: () => void) {
    this.name = name;
    this.#create = create;
    this.#onEnd = onEnd;
    this.#gather(encodeHead(head));
  }

  /** Bytes of the file's content, once it is {@link finish}ed. */
  get size(): number {
    return this.#size;
  }

  /**
   * Appends to the body. A promise where the disk has to be waited for; one at a time.
   *
   * @throws OverQuotaError, HoldfastError, or the operating system's error; then it is to be discarded
   */
  write(chunk: Uint8Array): void | Promise<void> {
    askForCollection(chunk.byteLength, this.#size + this.#waitingBytes);
    if (this.#waitingBytes + chunk.byteLength <= GATHERED_BYTES) return this.#gather(new Uint8Array(chunk));
    this.#flush();
    if (chunk.byteLength > SMALL_BYTES) return this.#writeLarge(chunk);
    if (chunk.byteLength > GATHERED_BYTES) this.#writeSmall(chunk);
    else this.#gather(new Uint8Array(chunk));
  }

  /** The body is complete: the file is closed; on the disk, too, where that was asked for. */
  async finish(sync: boolean): Promise<void> {
    this.#flush();
    this.#file?.finish();
    if (sync) await this.#file?.sync();
    this.#file?.close();
  }

  /** A record names it: from now on it is the business of whoever removes that. */
  named(): void {
    this.#file?.placed();
    this.#onEnd();
  }

  /** Deletes it. Harmless when called twice, or after it was named; never throws. */
  discard(): void {
    this.#file?.discard();
    this.#onEnd();
  }

  /** What became of it is not known: a sweep finds out. */
  leave(): void {
    this.#file?.placed();
    this.#onEnd();
  }

  #gather(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.byteLength;
  }

  #flush(): void {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const bytes = this.#waiting.length === 1 ? first : Buffer.concat(this.#waiting, this.#waitingBytes);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writeSmall(bytes);
  }

  #writeSmall(bytes: Uint8Array): void {
    const { content } = this.#covered(bytes);
    for (let done = 0; done < bytes.byteLength; ) done += this.#progress(content.write(bytes.subarray(done), this.#size));
  }

  async #writeLarge(bytes: Uint8Array): Promise<void> {
    const { content } = this.#covered(bytes);
    for (let done = 0; done < bytes.byteLength; ) done += this.#progress(await content.writeLater(bytes.subarray(done), this.#size));
  }

  /** The file, where these bytes are paid for. */
  #covered(bytes: Uint8Array): Swap {
    this.#file ??= this.#create();
    this.#file.extent.cover(this.#file.content.stored(this.#size + bytes.byteLength));
    return this.#file;
  }

  #progress(written: number): number {
    if (written === 0) throw new HoldfastError('disk-full', `Could not write ${this.name}: the disk takes no more.`);
    this.#size += written;
    return written;
  }
}
