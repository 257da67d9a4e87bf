// Writes an origin's items, or changes its keys to and fro, until it is killed; and says on descriptor 3 how far it has come.
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import { StorageHost } from '../../src/index.ts';
import { CANARY, ORIGIN } from './rotation.ts';

const [work = '', root = '', name = '', ...keys] = process.argv.slice(2);
const [one = new Uint8Array(0), two = one] = keys.map((key) => Uint8Array.from(Buffer.from(key, 'hex')));
const say = (what: unknown): unknown => fs.writeSync(3, `${String(what)}\n`);

function write(): void {
  const { localStorage } = new StorageHost({ root, encryption: { key: one, previous: [two] } }).origin(ORIGIN);
  const step = (): void => {
    // Two in a row, then whoever else there is.
    for (let round = 0; round < 2; round += 1) {
      const version = Number(/^\d+/.exec(localStorage.getItem(name) ?? '0')) + 1;
      localStorage.setItem(name, `${version}:${CANARY.repeat(200)}`);
      say(version);
    }
    setTimeout(step, 1);
  };
  step();
}

async function change(): Promise<void> {
  const hosts = [[one, two], [two, one]].map(([key, previous = one]) => new StorageHost({ root, encryption: { key: key ?? one, previous: [previous] } }));
  // The first may find that nothing is to be done: whoever was killed before it has done it.
  for (;;) {
    for (const host of hosts) {
      if (await host.rekey(ORIGIN)) say('changed');
      await renew(host);
    }
  }
}

/** There are no more than 255 data keys, which a long run comes to. */
async function renew(host: StorageHost): Promise<void> {
  try {
    await host.rekey(ORIGIN, { dataKey: true });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'encryption-unsupported') throw error;
  }
}

if (work === 'write') write();
else await change();
