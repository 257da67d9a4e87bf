import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StorageHost } from 'holdfast';

const [root, step] = process.argv.slice(2);
const host = new StorageHost({ root, quota: { localStorage: 64 * 2 ** 20 } });
const { localStorage } = host.origin('https://scale.example');

/** Bytes of the newest generation of the only bucket below the root. */
function journalSize() {
  const names = readdirSync(root, { recursive: true }).filter((name) => /local-storage.\d+$/.test(name));
  return Math.max(...names.map((name) => statSync(join(root, name)).size));
}

if (step === 'fill') {
  for (let i = 0; i < 5_000; i += 1) localStorage.setItem(`key ${i}`, `${i}`.padEnd(2_080, '.'));
  const start = performance.now();
  localStorage.setItem('whole', 'x'.repeat(4 * 2 ** 20));
  const milliseconds = performance.now() - start;
  localStorage.removeItem('whole');
  console.log(JSON.stringify({ milliseconds }));
} else {
  const start = performance.now();
  if (localStorage.getItem('key 4999')?.length !== 2_080) throw new Error('an item is missing');
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ speed: journalSize() / 1e6 / seconds }));
}
process.exit(0);
