// npm run demo: two tenants, a real tree of files, a server killed in the middle of uploads, and proof that nothing
// which it had acknowledged was lost.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inParallel, progress, table } from './progress.mjs';
import { Server } from './server.mjs';
import { collect, content, sha256 } from './tree.mjs';

const tenants = ['alpha.example', 'beta.example'];
const concurrency = 8;
const visitsMade = 100;

const failures = [];
const check = (holds, what) => holds || failures.push(what);

/** Version 2 of every third file replaces version 1; every tenth file is new. The rest stays as it is. */
function plan(files) {
  const fresh = files.filter((_, index) => index % 10 === 9).map((file) => ({ ...file, fresh: true }));
  const replaced = files.filter((_, index) => index % 10 !== 9 && index % 3 === 0);
  const first = files.filter((_, index) => index % 10 !== 9);
  return { first, second: [...replaced, ...fresh].sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

/** Uploads both tenants' files; each tenant's content differs, so that a mix-up shows. */
async function upload(server, files, version, onAcknowledged) {
  const jobs = files.flatMap((file) => tenants.map((tenant) => ({ file, tenant })));
  let bytes = 0;
  const count = progress(`upload version ${version}`, jobs.length);
  await inParallel(jobs, concurrency, async ({ file, tenant }) => {
    const body = await bodyFor(tenant, file, version);
    const { status } = await server.put(tenant, file.name, body);
    check(status === 204, `PUT ${file.name.join('/')} answered ${status}`);
    bytes += body.length;
    onAcknowledged(tenant, file);
    count();
  });
  return bytes;
}

async function bodyFor(tenant, file, version) {
  return Buffer.concat([Buffer.from(`${tenant}\n`), await content(file, version)]);
}

/** Reads every file of both tenants and calls `judge` with what is there. */
async function readBack(server, files, judge) {
  const jobs = files.flatMap((file) => tenants.map((tenant) => ({ file, tenant })));
  const count = progress('read back', jobs.length);
  let bytes = 0;
  await inParallel(jobs, concurrency, async ({ file, tenant }) => {
    const { status, body } = await server.get(tenant, file.name);
    bytes += body.length;
    await judge(tenant, file, status === 200 ? sha256(body) : status);
    count();
  });
  return bytes;
}

const expected = async (tenant, file, version) => sha256(await bodyFor(tenant, file, version));

async function timed(work) {
  const start = performance.now();
  const bytes = await work();
  return { bytes, seconds: (performance.now() - start) / 1000 };
}

/** Uploads until about half is acknowledged, then kills the server. Returns the keys of what was acknowledged. */
async function uploadAndKill(server, files) {
  const acknowledged = new Set();
  const killAt = Math.floor(files.length * tenants.length * (0.3 + 0.4 * Math.random()));
  let killed;
  const uploading = timed(() =>
    upload(server, files, 2, (tenant, file) => {
      acknowledged.add(`${tenant} ${file.path}`);
      if (acknowledged.size === killAt) killed = server.stop('SIGKILL');
    }),
  );
  const outcome = await uploading.catch((error) => error);
  check(outcome instanceof Error, 'the server was not killed in the middle of uploads');
  await killed;
  return acknowledged;
}

/** After the crash: acknowledged means whole and new; anything else is absent, old, or whole. */
async function judgeAfterCrash(server, files, acknowledged) {
  const counts = { acknowledged: 0, unacknowledged: 0, torn: 0, lost: 0 };
  await readBack(server, files, async (tenant, file, found) => {
    const next = await expected(tenant, file, 2);
    const before = file.fresh ? 404 : await expected(tenant, file, 1);
    if (acknowledged.has(`${tenant} ${file.path}`)) {
      counts.acknowledged += 1;
      if (found !== next) counts.lost += 1;
    } else {
      counts.unacknowledged += 1;
      if (found !== before && found !== next) counts.torn += 1;
    }
  });
  check(counts.lost === 0, `${counts.lost} acknowledged uploads are lost`);
  check(counts.torn === 0, `${counts.torn} unacknowledged uploads are neither absent, old nor whole`);
  return counts;
}

/** Each tenant has a file that the other has not; a stranger has nothing. */
async function judgeIsolation(server) {
  const secret = Buffer.from('for my own eyes');
  await server.put(tenants[0], ['secret.txt'], secret);
  const own = await server.get(tenants[0], ['secret.txt']);
  const other = await server.get(tenants[1], ['secret.txt']);
  const stranger = await server.get('gamma.example', ['secret.txt']);
  const sideways = await server.request(tenants[1], 'GET', `/files/${encodeURIComponent('../../secret.txt')}`);
  check(own.body.equals(secret), 'a tenant cannot read its own file');
  check(other.status === 404, `the other tenant sees the file: ${other.status}`);
  check(stranger.status === 421, `a stranger is served: ${stranger.status}`);
  check(sideways.status === 400, `a path with separators answers ${sideways.status}`);
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
const rate = ({ bytes, seconds }) => (bytes / 1e6 / seconds).toFixed(1);

async function main(root) {
  const files = await collect(fileURLToPath(new URL('../../node_modules', import.meta.url)), {
    count: 2000,
    largest: 8e6,
  });
  const { first, second } = plan(files);

  let server = await Server.start(root, tenants);
  const uploaded = await timed(() => upload(server, first, 1, () => {}));
  for (const tenant of tenants) await inParallel(Array(visitsMade).fill(0), concurrency, () => server.visit(tenant));
  const read = await timed(() =>
    readBack(server, first, async (tenant, file, found) => {
      check(found === (await expected(tenant, file, 1)), `${tenant} ${file.name.join('/')} differs`);
    }),
  );
  const acknowledged = await uploadAndKill(server, second);

  server = await Server.start(root, tenants);
  const after = await judgeAfterCrash(server, second, acknowledged);
  const untouched = first.filter((file) => !second.includes(file));
  const rest = await timed(() =>
    readBack(server, untouched, async (tenant, file, found) => {
      check(found === (await expected(tenant, file, 1)), `${tenant} ${file.name.join('/')} changed in the crash`);
    }),
  );
  const visits = await Promise.all(tenants.map((tenant) => server.visit(tenant)));
  for (const count of visits) check(count === visitsMade + 1, `${count - 1} visits, not ${visitsMade}`);
  await judgeIsolation(server);
  await server.stop('SIGTERM');

  console.log(
    table([
      ['step', 'files', 'MB', 'MB/s'],
      ['uploaded', first.length * tenants.length, megabytes(uploaded.bytes), rate(uploaded)],
      ['read back', first.length * tenants.length, megabytes(read.bytes), rate(read)],
      ['acknowledged before SIGKILL', after.acknowledged, '', ''],
      ['… of them lost', after.lost, '', ''],
      ['not acknowledged', after.unacknowledged, '', ''],
      ['… of them torn', after.torn, '', ''],
      ['untouched, read again', untouched.length * tenants.length, megabytes(rest.bytes), rate(rest)],
    ]),
  );
  console.log(`\n${table([['tenant', 'visits before', 'visits after'], ...tenants.map((tenant, index) => [tenant, visitsMade, visits[index] - 1])])}`);
}

const root = await mkdtemp(join(tmpdir(), 'holdfast-demo-'));
try {
  await main(root);
} finally {
  await rm(root, { recursive: true, force: true });
}
for (const failure of failures.slice(0, 20)) console.error(`FAILED: ${failure}`);
console.log(failures.length === 0 ? '\nNothing that was acknowledged is lost.' : `\n${failures.length} checks failed.`);
process.exitCode = failures.length === 0 ? 0 : 1;
