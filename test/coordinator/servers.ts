import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { Stub } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bundleFixture } from '../support/bundle.ts';
import { encrypted } from '../support/sealed.ts';
import { ORIGIN } from './server-fixture.ts';
import type { Register } from './server-fixture.ts';

const fixture = bundleFixture(new URL('./server-fixture.ts', import.meta.url));

/** A process that serves; resolves when it does. */
async function startServer(root: string, durability: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [await fixture, 'serve', root, durability], { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  const hasEnded = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`A server ended before it served: ${String(code ?? signal)}.`);
  });
  await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), hasEnded]);
  return child;
}

export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGCONT');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

export interface Deployment {
  readonly root: string;
  readonly caller: Coordinators;
  readonly servers: ChildProcess[];
  stub(name: string): Stub<Register>;
  add(): Promise<ChildProcess>;
  close(): Promise<void>;
}

/** A root with so many processes that serve, and this one, which only calls. */
export async function openDeployment(root: string, count: number, durability = 'relaxed', patience = 60_000): Promise<Deployment> {
  const host = new StorageHost({ root, ...encrypted });
  const caller = new Coordinators(host, {}, { suspectAfter: 400, patience });
  const servers: ChildProcess[] = [];
  const deployment: Deployment = {
    root,
    caller,
    servers,
    stub: (name) => caller.get(ORIGIN, 'Register', name) as unknown as Stub<Register>,
    async add() {
      const server = await startServer(root, durability);
      servers.push(server);
      return server;
    },
    async close() {
      await caller.close();
      await host.close();
      await Promise.all(servers.map(kill));
    },
  };
  for (let n = 0; n < count; n++) await deployment.add();
  return deployment;
}
