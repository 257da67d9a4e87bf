import { createHmac, createSecretKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { FileSealing } from '../../../src/disk/encryption/files/file-sealing.ts';
import type { FileKeys } from '../../../src/disk/encryption/files/file-keys.ts';
import type { Content } from '../../../src/disk/tree/content.ts';
import type { Form, Use } from '../../../src/disk/tree/sealing.ts';

/** Keys of an origin that are always the same; `origin` makes others. */
export function keysOf(origin = 'a', activeId = 1): FileKeys {
  return {
    activeId,
    oldestId: 1,
    fileKey: (id: number, salt: Uint8Array): KeyObject => createSecretKey(createHmac('sha256', `${origin} ${id}`).update(salt).digest()),
  };
}

/** A file in a temporary directory, and ways to open it. */
export class TestFile {
  readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-sealed-'));
  readonly path = path.join(this.directory, 'file');
  readonly #descriptors: number[] = [];

  open(use: Use = 'alone', keys = keysOf()): Content {
    return new FileSealing(keys).open(this.descriptor(), this.path, use);
  }

  draft(form: Form, keys = keysOf()): Content {
    return new FileSealing(keys).draft(this.descriptor(), this.path, form);
  }

  descriptor(): number {
    const descriptor = fs.openSync(this.path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
    this.#descriptors.push(descriptor);
    return descriptor;
  }

  /** Its bytes on the disk. */
  get raw(): Buffer {
    return fs.readFileSync(this.path);
  }

  set raw(bytes: Uint8Array) {
    fs.writeFileSync(this.path, bytes);
  }

  remove(): void {
    for (const descriptor of this.#descriptors) fs.closeSync(descriptor);
    fs.rmSync(this.directory, { recursive: true });
  }
}

export function readAll(content: Content): Buffer {
  const bytes = Buffer.alloc(content.size());
  const count = content.read(bytes, 0);
  if (count !== bytes.byteLength) throw new Error(`read ${count} of ${bytes.byteLength} bytes`);
  return bytes;
}

export function writeAll(content: Content, bytes: Uint8Array, position = 0): void {
  for (let written = 0; written < bytes.byteLength; ) written += content.write(bytes.subarray(written), position + written);
}

/** Bytes of which no two stretches are alike. */
export function sample(length: number, seed = 1): Buffer<ArrayBuffer> {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = seed; at < length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}
