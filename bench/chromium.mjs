// The same areas inside headless Chromium, in a page or in its worker, served from this folder over loopback.
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumBinary, playwright } from './peers.mjs';

const folder = new URL('./', import.meta.url);
const sqlite = new URL('./', import.meta.resolve('@sqlite.org/sqlite-wasm/sqlite3.wasm'));

const inScope = `
  const [area] = [new URL(location.href).searchParams.get('area')];
  const { Rounds } = await import('/measure.mjs');
  const { open } = await import('/contestants/chromium.mjs');
  const { operations } = await import('/areas/' + area + '.mjs');
  const rounds = new Rounds(await operations(open()));`;

const workerScript = `${inScope}
  onmessage = async ({ data }) => {
    try { postMessage({ nanoseconds: await rounds.round(data) }); } catch (error) { postMessage({ error: error.message }); }
  };
  postMessage({ ready: true });`;

const page = (area, scope) => `<!doctype html><script type="module">
  ${
    scope === 'window'
      ? `${inScope} globalThis.round = (work) => rounds.round(work); globalThis.ready = true;`
      : `const worker = new Worker('/worker.mjs?area=${area}', { type: 'module' });
  const answer = () => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => data.error ? reject(new Error(data.error)) : resolve(data.nanoseconds);
    worker.onerror = (event) => reject(new Error(event.message));
  });
  globalThis.round = (work) => { worker.postMessage(work); return answer(); };
  await answer();
  globalThis.ready = true;`
  }
</script>`;

async function respond({ url }, response) {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const send = (type, body) => response.writeHead(200, { 'content-type': type }).end(body);
  if (pathname === '/') return send('text/html', page(searchParams.get('area'), searchParams.get('scope')));
  if (pathname === '/worker.mjs') return send('text/javascript', workerScript);
  const file = pathname.startsWith('/sqlite/') ? new URL(pathname.slice('/sqlite/'.length), sqlite) : new URL(`.${pathname}`, folder);
  const body = await readFile(file).catch(() => null);
  return body === null ? response.writeHead(404).end() : send(pathname.endsWith('.wasm') ? 'application/wasm' : 'text/javascript', body);
}

export async function openInChromium(area, scope) {
  const executablePath = chromiumBinary();
  if (executablePath === undefined) throw new Error('not installed');
  const { chromium } = (await playwright()).default;
  const profile = await mkdtemp(join(tmpdir(), 'holdfast-bench-chromium-'));
  const server = createServer((request, response) => void respond(request, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  const tab = await context.newPage();
  await tab.goto(`http://localhost:${server.address().port}/?area=${area}&scope=${scope}`);
  await tab.waitForFunction(() => globalThis.ready === true, undefined, { timeout: 120_000 });
  return {
    round: (work) => tab.evaluate((order) => globalThis.round(order), work),
    close: async () => {
      await context.close();
      server.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
