// Makes docs/inspector.png: a root with some storage in it, and the inspector's page of it in Chromium.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { StorageHost } from 'holdfast';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const picture = process.argv[2] ?? fileURLToPath(new URL('../docs/inspector.png', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'holdfast-picture-'));
const root = join(folder, 'data');

const shops = ['anchor', 'birch', 'cedar', 'delta', 'ember', 'fjord', 'grove', 'harbor', 'inlet', 'juniper', 'kelp', 'lantern', 'meadow', 'north', 'orchard', 'pine'];

/** A file of so many bytes. */
async function write(directory, name, content) {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
  await writable.write(content);
  await writable.close();
}

async function fill(host) {
  for (const [index, shop] of shops.entries()) {
    const client = host.origin(`https://${shop}.shop.example`);
    for (let item = 0; item < 40 + index * 37; item += 1) client.localStorage.setItem(`cart:${String(item * 7919 % 10_000).padStart(4, '0')}`, JSON.stringify({ items: item % 7, total: (item * 13.37).toFixed(2), currency: 'EUR' }));
    client.localStorage.setItem('settings', '{"language":"en","theme":"dark"}');
    const files = await client.storage.getDirectory();
    const invoices = await files.getDirectoryHandle('invoices', { create: true });
    for (let file = 0; file <= index % 5; file += 1) await write(invoices, `2026-${String(file + 1).padStart(2, '0')}.pdf`, new Uint8Array(40_000 * (17 - index)));
    await write(files, 'report.json', JSON.stringify({ shop, orders: index * 120, open: index % 3 }));
    if (index % 2 === 0) {
      const cache = await client.caches.open('pages');
      for (let page = 0; page < 8; page += 1) await cache.put(`https://${shop}.shop.example/products/${page}`, new Response('<h1>A product</h1>'.repeat(3000), { headers: { 'content-type': 'text/html' } }));
    }
  }
}

const host = new StorageHost({ root });
await fill(host);
const first = host.origin('https://anchor.shop.example');

const inspect = spawn(process.execPath, [fileURLToPath(new URL('../dist/cli.js', import.meta.url)), 'inspect', '--root', root], { stdio: ['ignore', 'pipe', 'inherit'] });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const [address] = await new Promise((resolve) => inspect.stdout.setEncoding('utf8').once('data', (text) => resolve(text.split('\n'))));
  const page = await browser.newPage({ viewport: { width: 1180, height: 680 } });
  page.on('console', (message) => console.log('browser:', message.text()));
  page.on('pageerror', (error) => console.log('browser:', error.stack));
  await page.goto(address);
  await page.getByRole('row', { name: 'anchor.shop' }).click();
  await page.getByText('Over time').waitFor();
  const files = await first.storage.getDirectory();
  for (let step = 0; step < 8; step += 1) {
    await write(files, `upload-${step}.bin`, new Uint8Array(300_000 + 90_000 * step));
    if (step % 3 === 2) await files.removeEntry(`upload-${step - 1}.bin`);
    for (let item = 0; item < 200; item += 1) first.localStorage.setItem(`visit:${step}:${item}`, 'a visit of somebody, somewhere, at some time');
    await page.waitForTimeout(700);
  }
  await page.screenshot({ path: picture });
} finally {
  await browser.close();
  inspect.kill();
  await host.close();
  rmSync(folder, { recursive: true, force: true });
}
