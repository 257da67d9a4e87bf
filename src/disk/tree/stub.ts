import fs from 'node:fs';
import { setMode } from '../../runtime/more-descriptor-calls.ts';
import { writeWhole } from './write-whole.ts';

/*
 * A stub stands for a file whose content is not on this disk: a plain file under its real name that holds where the
 * content is. It survives `cp -a`, tar and rsync, which keep the mode.
 *
 * - Its owner's execute bit tells those who stat the file anyway to look closer: ordinary files cost a test of one bit.
 * - It begins with a magic: a file that somebody has made executable by hand is an ordinary one.
 * - It gets its name complete, by a rename, and is never written to afterwards.
 */

/** Whether this system keeps the bit. */
export const canHaveStubs = process.platform !== 'win32';

const OWNER_EXECUTES = 0o100;
const STUB_MODE = 0o700;

/** What a stub begins with. */
export const STUB_MAGIC = Buffer.from('\0holdfast: the content of this file is elsewhere\n\0');

/** Whether a file may be a stub; then {@link isStub} tells. */
export function mayBeStub({ mode }: Pick<fs.Stats, 'mode'>): boolean {
  return (mode & OWNER_EXECUTES) !== 0;
}

/** Whether an open file begins as a stub does. */
export function isStub(descriptor: number): boolean {
  const start = Buffer.alloc(STUB_MAGIC.length);
  let filled = 0;
  for (let count = -1; count !== 0 && filled < start.length; filled += count) {
    count = fs.readSync(descriptor, start, filled, start.length - filled, filled);
  }
  return start.equals(STUB_MAGIC);
}

/** Makes a stub of an empty file that nobody sees yet. `manifest` says where the content is; it is opaque here. */
export function writeStub({ descriptor, path }: { readonly descriptor: number; readonly path: string }, manifest: Uint8Array): void {
  writeWhole(descriptor, Buffer.concat([STUB_MAGIC, manifest]));
  setMode(descriptor, path, STUB_MODE);
}

/** Bytes of the stub with this manifest. */
export function stubSize(manifest: Uint8Array): number {
  return STUB_MAGIC.length + manifest.length;
}

/** What {@link writeStub} was given. */
export function readManifest(descriptor: number): Uint8Array {
  return fs.readFileSync(descriptor).subarray(STUB_MAGIC.length);
}
