// Runs every reader on every size and prints what failed: for runtimes that the test runner does not run on.
import fs from 'node:fs';
import { bytesOf, directory, fileOf, isImpossible, READERS, SIZES, write } from './scenarios.ts';

let failed = 0;
for (const size of SIZES) {
  const file = write(bytesOf(size));
  for (const [name, read] of Object.entries(READERS)) {
    const error: unknown = await read(await fileOf(file), bytesOf(size)).then(() => null, (reason: unknown) => reason);
    // Nothing is missing of an empty file, even where reading is impossible.
    if ((error === null) !== isImpossible(name) || (size === 0 && isImpossible(name))) continue;
    failed += 1;
    console.log(`${name}, ${size} bytes: ${error === null ? 'works, but is listed as impossible' : String(error)}`);
  }
}
fs.rmSync(directory, { recursive: true });
console.log(failed === 0 ? 'ok' : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
