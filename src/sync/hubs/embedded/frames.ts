import { Buffer } from 'node:buffer';

/** What is read is not what this protocol writes. */
export class Malformed extends Error {}

const TWO_32 = 0x1_0000_0000;

const FIRST_ROOM = 256;

/** Builds a message of the hub protocol. Integers are little-endian; docs/HUB-PROTOCOL.md has the layout. */
export class FrameWriter {
  #bytes = Buffer.allocUnsafe(FIRST_ROOM);
  #length = 0;

  /** Where the next `count` bytes go. */
  #advance(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) this.#grow(at);
    return at;
  }

  #grow(used: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#bytes.length));
    this.#bytes.copy(grown, 0, 0, used);
    this.#bytes = grown;
  }

  /** One byte. */
  u8(value: number): this {
    const at = this.#advance(1);
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#advance(4);
    this.#bytes.writeUInt32LE(value, at);
    return this;
  }

  /** A safe integer that is not negative, in eight bytes. */
  u53(value: number): this {
    return this.u32(value % TWO_32).u32(Math.floor(value / TWO_32));
  }

  /** A string, exact in UTF-16, behind the number of its code units. */
  units(text: string): this {
    const at = this.u32(text.length).#advance(2 * text.length);
    this.#bytes.write(text, at, 'utf16le');
    return this;
  }

  /** A string of ASCII characters, whose number the reader knows. */
  ascii(text: string): this {
    const at = this.#advance(text.length);
    this.#bytes.write(text, at, 'latin1');
    return this;
  }

  /** A string in UTF-8 behind the number of its bytes. */
  text(text: string): this {
    return this.bytes(Buffer.from(text));
  }

  /** Bytes behind their number. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): this {
    const at = this.#advance(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads what a {@link FrameWriter} wrote, and trusts nothing: every method throws {@link Malformed}. */
export class FrameReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.raw(1)[0] ?? 0;
  }

  u32(): number {
    return this.raw(4).readUInt32LE();
  }

  u53(): number {
    const low = this.u32();
    const value = this.u32() * TWO_32 + low;
    if (!Number.isSafeInteger(value)) throw new Malformed('a number is too large');
    return value;
  }

  units(most: number): string {
    const length = this.u32();
    if (length > most) throw new Malformed(`a string of ${length} code units is longer than ${most}`);
    return this.raw(2 * length).toString('utf16le');
  }

  text(): string {
    return this.#sized().toString();
  }

  /** A copy, so that a small one keeps no large message alive. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#sized());
  }

  /** The bytes themselves, for who is done with them before the message is. */
  view(): Uint8Array {
    const { buffer, byteOffset, length } = this.#sized();
    return new Uint8Array(buffer, byteOffset, length);
  }

  #sized(): Buffer {
    return this.raw(this.u32());
  }

  /** A view of the next bytes. */
  raw(length: number): Buffer {
    if (length > this.left) throw new Malformed(`it ends ${length - this.left} bytes early`);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** How many items follow, each of `least` bytes or more: never more than there is room for. */
  count(least: number): number {
    const count = this.u32();
    if (count * least > this.left) throw new Malformed(`${count} items do not fit into the ${this.left} bytes that are left`);
    return count;
  }

  /** Nothing may be left. */
  end(): void {
    if (this.left > 0) throw new Malformed(`${this.left} bytes are left over`);
  }
}
