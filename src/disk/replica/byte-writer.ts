/** Puts bytes together: integers in base 128, and byte strings behind their length. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #at = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  byte(value: number): this {
    this.#room(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  /** A non-negative safe integer. */
  integer(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    return this.byte(rest);
  }

  /** Bytes without their length, for those of a fixed one. */
  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    return this.integer(bytes.length).raw(bytes);
  }

  text(text: string): this {
    return this.bytes(Buffer.from(text));
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #room(more: number): void {
    const needed = this.#at + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
