// 10,000 origins in one process, one item each: first made, then opened again by a fresh process.
import { join } from 'node:path';
import { alone } from '../alone.mjs';

const works = [
  { id: 'make', label: 'make an origin with one item', unit: 'µs' },
  { id: 'open', label: 'open an origin and read its item', unit: 'µs' },
  { id: 'heap', label: 'heap per open origin', unit: 'KiB' },
  { id: 'descriptors', label: 'open descriptors, all idle', unit: '' },
];

export async function measure({ root, say }) {
  say('tenants: making 10,000 origins');
  const directory = join(root, 'tenants');
  const made = alone('tenants', directory, 'make');
  say('tenants: opening 10,000 origins');
  const opened = alone('tenants', directory, 'open');
  const results = {
    make: { holdfast: made.microseconds },
    open: { holdfast: opened.microseconds },
    heap: { holdfast: opened.kibibytes },
    descriptors: { holdfast: opened.descriptors },
  };
  return { area: 'tenants', works, order: ['holdfast'], results, absent: {} };
}
