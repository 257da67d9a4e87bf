import fs from 'node:fs';
import { startHub } from '../../../src/sync/index.ts';

/*
 * A hub that kills itself: [root, token, number]. From the word that it gets on its standard input on it counts the
 * system calls that change something, and gets SIGKILL before the first one of them (0) or right after one (1, 2, ...).
 */
const [root = '', token = '', number = ''] = process.argv.slice(2);
const last = Number(number);
let count = Infinity;

for (const name of ['unlinkSync', 'utimesSync', 'writeSync', 'fsyncSync', 'fdatasyncSync', 'renameSync'] as const) {
  const original = fs[name] as (...values: unknown[]) => unknown;
  const counted = (...values: unknown[]): unknown => {
    if (count === 0 && last === 0) kill();
    const result = original(...values);
    if ((count += 1) === last) kill();
    return result;
  };
  Object.assign(fs, { [name]: counted });
}

function kill(): void {
  process.kill(process.pid, 'SIGKILL');
  // It has not always come when the call returns.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

const hub = await startHub({ root, token });
process.stdin.on('data', () => {
  count = 0;
  fs.writeFileSync(1, 'counting\n');
});
fs.writeFileSync(1, `${hub.url}\n`);
