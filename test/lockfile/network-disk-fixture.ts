import fs from 'node:fs';

/*
 * A preload that makes appends what they are on a network disk: the client writes at the end of the file as it knows
 * it, which is where the file ended when it was opened, and whatever this client has read or written since.
 */

interface OpenFile {
  /** A descriptor without O_APPEND, which would override positions. */
  readonly plain: number;
  end: number;
}

const open = new Map<number, OpenFile>();
const system = { ...fs };
const clock = new Int32Array(new SharedArrayBuffer(4));

fs.openSync = ((path: string, flags: number | string, mode?: number) => {
  const descriptor = system.openSync(path, flags, mode);
  if (typeof flags === 'number' && (flags & fs.constants.O_APPEND) !== 0) {
    open.set(descriptor, { plain: system.openSync(path, 'r+'), end: system.fstatSync(descriptor).size });
  }
  return descriptor;
}) as typeof fs.openSync;

fs.readSync = ((descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number) => {
  const count = system.readSync(descriptor, buffer, offset, length, position);
  const file = open.get(descriptor);
  if (file !== undefined) file.end = Math.max(file.end, position + count);
  return count;
}) as typeof fs.readSync;

fs.writeSync = ((descriptor: number, buffer: Uint8Array, offset?: number, length?: number, position?: number) => {
  const file = open.get(descriptor);
  if (file === undefined) return system.writeSync(descriptor, buffer, offset, length, position);
  const at = file.end;
  Atomics.wait(clock, 0, 0, 1);
  const count = system.writeSync(file.plain, buffer, offset, length, at);
  file.end = at + count;
  return count;
}) as typeof fs.writeSync;

fs.closeSync = (descriptor) => {
  const file = open.get(descriptor);
  open.delete(descriptor);
  if (file !== undefined) system.closeSync(file.plain);
  system.closeSync(descriptor);
};
