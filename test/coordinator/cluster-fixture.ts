/** A cluster of two workers that serve the register: each ends once it is disconnected, and the other one goes on. Prints what they say. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';
import { ORIGIN, Register } from './server-fixture.ts';

const [, , root = ''] = process.argv;

async function ask(worker: Worker): Promise<unknown> {
  const answer = once(worker, 'message');
  worker.send('increment');
  return ((await answer) as unknown[])[0];
}

async function lead(): Promise<void> {
  const [a, b] = [cluster.fork(), cluster.fork()];
  await Promise.all([once(a, 'message'), once(b, 'message')]);
  const results = [await ask(a), await ask(b)];
  a.disconnect();
  const [code] = (await once(a, 'exit')) as [number];
  results.push(code, await ask(b));
  process.stdout.write(JSON.stringify(results));
  b.disconnect();
}

function serve(): void {
  const coordinators = new Coordinators(new StorageHost({ root, ...encrypted }), { Register });
  const register = coordinators.get(ORIGIN, Register, 'shared');
  process.on('message', () => void register.increment().then((value) => process.send?.(value)));
  process.send?.('ready');
}

if (cluster.isPrimary) void lead();
else serve();
