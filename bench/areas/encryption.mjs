// What encryption costs, on each runtime: the same work on an encrypted and on a plain origin, taking turns in one process.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandOf, runtimes } from '../runtimes.mjs';

const works = [
  { id: 'setItem', label: 'setItem, 100 B', unit: '÷ plain' },
  { id: 'getItem', label: 'getItem', unit: '÷ plain' },
  { id: 'replay', label: 'replay of 50,000 small pairs', unit: '÷ plain' },
  { id: 'read4k', label: 'sync access handle: read 4 KiB in order', unit: '÷ bare read' },
  { id: 'readInto', label: 'read a file of 1 MiB into memory that is there', unit: '% of openssl' },
  { id: 'readFile', label: '… arrayBuffer()', unit: '% of openssl' },
  { id: 'bulk', label: 'SQLite on a file: insert in bulk, 100,000 rows a transaction', unit: '÷ plain' },
  { id: 'insert', label: '… insert, 1,000 rows a transaction', unit: '÷ plain' },
  { id: 'commit', label: '… insert a row, one a transaction', unit: '÷ plain' },
  { id: 'select', label: '… select by key, of 100,000 rows, nothing in memory', unit: '÷ plain' },
];

const program = fileURLToPath(new URL('../programs/encryption.mjs', import.meta.url));

/** Bytes per second of the cipher alone, in pieces of 16 KiB. */
function speedOfOpenssl() {
  const { status, stdout, error } = spawnSync('openssl', ['speed', '-mr', '-seconds', '1', '-bytes', '16384', '-evp', 'aes-256-gcm'], { encoding: 'utf8' });
  const speed = Number(/^\+F:\d+:[^:]*:([\d.]+)/m.exec(stdout ?? '')?.[1] ?? NaN);
  if (status !== 0 || Number.isNaN(speed)) throw new Error(`openssl does not say how fast it is${error === undefined ? '' : `: ${error.message}`}`);
  return speed;
}

/** SQLite's build is measured where it is used most. */
const hasSqlite = ({ folder }) => folder.startsWith('node-') && folder !== 'node-20';

function measured(command, runtime, root, rounds) {
  const [binary, ...args] = command;
  mkdirSync(root, { recursive: true });
  const { status, stdout, stderr } = spawnSync(binary, [...args, program, root, String(rounds), hasSqlite(runtime) ? 'sqlite' : ''], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`it failed: ${stderr.split('\n').find((line) => line.includes('rror')) ?? stderr}`);
  return JSON.parse(stdout);
}

export async function measure({ root, rounds, say }) {
  const results = Object.fromEntries(works.map(({ id }) => [id, {}]));
  const absent = {};
  for (const runtime of runtimes) {
    say(`encryption: ${runtime.name}`);
    const command = commandOf(runtime, say);
    if (!Array.isArray(command)) {
      absent[runtime.folder] = command.reason;
      continue;
    }
    const before = speedOfOpenssl();
    const { readInto, readFile, ...ratios } = measured(command, runtime, join(root, `encryption-${runtime.folder}`), rounds);
    const openssl = (before + speedOfOpenssl()) / 2;
    const speeds = { readInto: (100 * readInto) / openssl, readFile: (100 * readFile) / openssl };
    for (const [id, value] of Object.entries({ ...ratios, ...speeds })) results[id][runtime.folder] = value;
  }
  return { area: 'encryption', works, order: runtimes.map(({ folder }) => folder), results, absent };
}
