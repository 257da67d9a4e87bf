// An HTTP server where each hostname is a tenant with storage of its own.
//
//   PUT, GET, DELETE /files/<path>   streams into and out of the tenant's file system
//   GET /visits                      counts in the tenant's localStorage
//
//   node examples/multi-tenant.mjs a.localhost b.localhost       (PORT, HOLDFAST_ROOT from the environment)
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StorageHost } from 'holdfast';

const tenants = new Set(process.argv.length > 2 ? process.argv.slice(2) : ['a.localhost', 'b.localhost']);
const host = new StorageHost({ root: process.env.HOLDFAST_ROOT ?? './.holdfast' });

const statusOf = {
  NotFoundError: 404,
  TypeError: 400,
  URIError: 400,
  TypeMismatchError: 409,
  InvalidModificationError: 409,
  NoModificationAllowedError: 423,
  QuotaExceededError: 507,
};

/** The storage of the tenant that the request names, or nothing for a stranger. */
function tenantOf(request) {
  const name = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
  return tenants.has(name) ? host.origin(`https://${name}`) : undefined;
}

async function directoryAt(tenant, names, options) {
  let directory = await (await tenant.storage.getDirectory()).getDirectoryHandle('files', { create: true });
  for (const name of names) directory = await directory.getDirectoryHandle(name, options);
  return directory;
}

/** Uploads land in a file of their own and take their name when they are whole: a crash leaves no half of one. */
async function put(tenant, path, request) {
  const root = await tenant.storage.getDirectory();
  const incoming = await root.getDirectoryHandle('incoming', { create: true });
  const upload = await incoming.getFileHandle(randomUUID(), { create: true });
  try {
    await Readable.toWeb(request).pipeTo(await upload.createWritable());
    await upload.move(await directoryAt(tenant, path.slice(0, -1), { create: true }), path.at(-1));
  } catch (error) {
    await upload.remove().catch(() => {});
    throw error;
  }
  return { status: 204 };
}

async function get(tenant, path) {
  const parent = await directoryAt(tenant, path.slice(0, -1));
  const file = await (await parent.getFileHandle(path.at(-1))).getFile();
  const headers = {
    'content-length': file.size,
    'content-type': file.type || 'application/octet-stream',
    'last-modified': new Date(file.lastModified).toUTCString(),
  };
  return { status: 200, headers, body: Readable.fromWeb(file.stream()) };
}

async function remove(tenant, path) {
  const parent = await directoryAt(tenant, path.slice(0, -1));
  await parent.removeEntry(path.at(-1), { recursive: true });
  return { status: 204 };
}

/** The lock makes read-and-add one step among all processes that serve this root. */
async function visit(tenant) {
  const visits = await tenant.locks.request('visits', () => {
    const { localStorage } = tenant;
    localStorage.setItem('visits', String(Number(localStorage.getItem('visits') ?? 0) + 1));
    return localStorage.getItem('visits');
  });
  return { status: 200, headers: { 'content-type': 'text/plain' }, body: Readable.from([`${visits}\n`]) };
}

async function answer(request) {
  const tenant = tenantOf(request);
  if (tenant === undefined) return { status: 421 };
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/visits') return request.method === 'GET' ? visit(tenant) : { status: 405 };
  const [, area, ...path] = pathname.split('/').map(decodeURIComponent);
  if (area !== 'files' || path.length === 0) return { status: 404 };
  if (request.method === 'PUT') return put(tenant, path, request);
  if (request.method === 'GET') return get(tenant, path);
  if (request.method === 'DELETE') return remove(tenant, path);
  return { status: 405 };
}

async function serve(request, response) {
  let result;
  try {
    result = await answer(request);
  } catch (error) {
    if (request.destroyed && !request.complete) return;
    const status = statusOf[error.name] ?? 500;
    if (status === 500) console.error(error);
    result = { status, headers: { 'content-type': 'text/plain' }, body: Readable.from([`${error.message}\n`]) };
  }
  response.writeHead(result.status, result.headers);
  if (result.body === undefined) response.end();
  else await pipeline(result.body, response).catch(() => response.destroy());
}

// What a crash left behind of unfinished uploads.
for (const name of tenants) {
  const root = await host.origin(`https://${name}`).storage.getDirectory();
  await root.removeEntry('incoming', { recursive: true }).catch(() => {});
}

const server = createServer((request, response) => void serve(request, response));
server.listen(Number(process.env.PORT ?? 8787), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port} for ${[...tenants].join(', ')}`);
});

process.on('SIGTERM', () => {
  server.close(() => void host.close());
  server.closeAllConnections();
});
