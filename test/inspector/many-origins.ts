import fs from 'node:fs';
import path from 'node:path';
import type { StorageHost } from '../../src/index.ts';

/** One origin, and links to what it has for so many more: a root with thousands of tenants in a second. */
export function manyOrigins(host: StorageHost, count: number): void {
  host.origin('https://tenant.example').localStorage.setItem('settings', 'of a tenant');
  const origins = path.join(host.root, 'origins');
  const [first = ''] = fs.readdirSync(origins);
  const journal = path.join(origins, first, 'default', 'local-storage');
  const [generation = ''] = fs.readdirSync(journal).filter((name) => /^\d+$/.test(name));
  for (let index = 0; index < count; index += 1) {
    const bucket = path.join(origins, first.replace('tenant', `tenant-${index}`), 'default');
    fs.mkdirSync(path.join(bucket, 'local-storage'), { recursive: true });
    fs.mkdirSync(path.join(bucket, 'locks'));
    fs.linkSync(path.join(journal, generation), path.join(bucket, 'local-storage', generation));
  }
}
