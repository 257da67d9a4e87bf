import path from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryDirectory } from '../host/support.ts';
import { openDeployment } from './servers.ts';
import type { Deployment } from './servers.ts';

/** For a test, which closes it at its end. */
export async function deploy(count: number, durability = 'relaxed', patience?: number): Promise<Deployment> {
  const deployment = await openDeployment(path.join(temporaryDirectory(), 'root'), count, durability, patience);
  onTestFinished(() => deployment.close());
  return deployment;
}
