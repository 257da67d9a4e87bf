// Large stores and many readers.
import { join } from 'node:path';
import { alone, median } from '../alone.mjs';

const works = [
  { id: 'replay', label: 'replay of 10 MiB at first use', unit: 'MB/s' },
  { id: 'whole', label: 'setItem of 4 MiB', unit: 'ms' },
];

export async function measure({ root, rounds, say }) {
  const directory = join(root, 'scale');
  const { milliseconds } = alone('scale', directory, 'fill');
  const speeds = [];
  for (let round = 0; round < rounds; round += 1) {
    say(`scale: round ${round + 1}/${rounds}`);
    speeds.push(alone('scale', directory, 'replay').speed);
  }
  const results = { replay: { holdfast: median(speeds) }, whole: { holdfast: milliseconds } };
  return { area: 'scale', works, order: ['holdfast'], results, absent: {} };
}
