// An edge handler that caches the pages it renders, in four processes that share one cache. It is written as for an edge
// platform: caches, Request and Response, nothing of Holdfast.
//
//   node --import holdfast/globals examples/edge-cache.mjs       (PORT, PROCESSES, HOLDFAST_ROOT from the environment)
//
//   GET /<page>     the page: rendered once, whichever process is asked
//   PURGE /<page>   forgets it, in all processes
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** How long a page is good, in seconds. */
const MAX_AGE = 60;

/** What takes long: here the time of day, and who has rendered it. */
async function render({ pathname }) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const html = `<!doctype html>\n<h1>${pathname.replace(/[<&]/g, '')}</h1>\n<p>rendered by process ${process.pid} at ${new Date().toISOString()}</p>\n`;
  const headers = { 'content-type': 'text/html; charset=utf-8', 'cache-control': `max-age=${MAX_AGE}`, date: new Date().toUTCString() };
  return new Response(html, { headers });
}

function isFresh(response) {
  return Date.now() - Date.parse(response.headers.get('date')) < MAX_AGE * 1000;
}

/** One page is rendered by one process at a time: who waits for it finds it in the cache. */
async function fetchPage(request) {
  const cache = await caches.open('pages');
  const cached = await cache.match(request);
  if (cached !== undefined && isFresh(cached)) return cached;
  return navigator.locks.request(request.url, async () => {
    const meanwhile = await cache.match(request);
    if (meanwhile !== undefined && isFresh(meanwhile)) return meanwhile;
    const page = await render(new URL(request.url));
    await cache.put(request, page.clone());
    return page;
  });
}

async function handle(request) {
  if (request.method === 'GET') return fetchPage(request);
  if (request.method !== 'PURGE') return new Response(null, { status: 405 });
  const wasThere = await (await caches.open('pages')).delete(request.url);
  return new Response(null, { status: wasThere ? 204 : 404 });
}

/** From node:http and back. */
async function serve(incoming, outgoing) {
  try {
    // A page is the same for all visitors, whatever their headers: only the URL asks for it.
    const response = await handle(new Request(new URL(incoming.url, 'http://localhost'), { method: incoming.method }));
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    if (response.body === null) outgoing.end();
    else await pipeline(Readable.fromWeb(response.body), outgoing);
  } catch (error) {
    console.error(error);
    outgoing.destroy();
  }
}

if (cluster.isPrimary) {
  for (let count = Number(process.env.PROCESSES ?? 4); count > 0; count -= 1) cluster.fork();
  let listening = 0;
  cluster.on('listening', (_, { port }) => {
    if ((listening += 1) === Number(process.env.PROCESSES ?? 4)) console.log(`listening on http://127.0.0.1:${port}`);
  });
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    process.exit();
  });
} else {
  createServer(serve).listen(Number(process.env.PORT ?? 8788), '127.0.0.1');
}
