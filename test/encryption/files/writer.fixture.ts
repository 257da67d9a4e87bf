// Writes to an encrypted file in place until it is killed, and says on descriptor 3 how far it has come.
import fs from 'node:fs';
import { FileSealing } from '../../../src/disk/encryption/files/file-sealing.ts';
import { keysOf } from './support.ts';
import { CUT, isCut, SIZE, slotOf, stateAfter } from './versions.ts';

const [path = '', first = '0'] = process.argv.slice(2);
const descriptor = fs.openSync(path, 'r+');
const content = new FileSealing(keysOf()).open(descriptor, path, 'alone');
for (let version = Number(first) + 1; ; version += 1) {
  const state = stateAfter(version);
  const { start, end } = slotOf(version);
  if (isCut(version)) content.truncate(SIZE - CUT);
  content.write(state.subarray(start, end), start);
  if (isCut(version)) content.write(state.subarray(SIZE - CUT), SIZE - CUT);
  fs.writeSync(3, `${version}\n`);
}
