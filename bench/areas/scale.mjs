// Large stores, and a slow disk.
import { join } from 'node:path';
import { alone, median } from '../alone.mjs';

/** Milliseconds that every call to the slow disk takes. */
const slowness = 2;

const works = [
  { id: 'replay', label: 'replay of 10 MiB at first use', unit: 'MB/s' },
  { id: 'whole', label: 'setItem of 4 MiB', unit: 'ms' },
  ...[
    ['create', 'create a file'],
    ['write', 'write 8 MiB'],
    ['read', 'read 8 MiB'],
    ['tree', 'create 200 files'],
  ].map(([id, work]) => ({ id, label: `longest pause of the loop: ${work}, ${slowness} ms a call`, unit: 'ms' })),
];

export async function measure({ root, rounds, say }) {
  const directory = join(root, 'scale');
  const { milliseconds } = alone('scale', directory, 'fill');
  const speeds = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`scale: round ${round + 1}/${rounds}`);
    speeds.push(alone('scale', directory, 'replay').speed);
  }
  say('scale: the slow disk');
  const pauses = Object.entries(alone('slow-disk', join(root, 'slow'), String(slowness)));
  const results = {
    replay: { holdfast: median(speeds) },
    whole: { holdfast: milliseconds },
    ...Object.fromEntries(pauses.map(([id, pause]) => [id, { holdfast: pause }])),
  };
  return { area: 'scale', works, order: ['holdfast'], results, absent: {} };
}
