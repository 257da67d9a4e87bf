import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { Hub, NewEntry } from '../../../src/sync/hub.ts';
import { embeddedHub, type HubServerOptions, type RunningHub, startHub } from '../../../src/sync/index.ts';

export const TOKEN = 'a-token-of-the-tests';

/** Where a root may be; removed with what is in it when the test is over. */
export function temporaryRoot(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-hub-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return path.join(folder, 'root');
}

/** A hub that this process serves until the test is over. */
export async function startedHub(options: Partial<HubServerOptions> = {}): Promise<RunningHub & { root: string }> {
  const root = options.root ?? temporaryRoot();
  const running = await startHub({ token: TOKEN, ...options, root });
  onTestFinished(() => running.close());
  return { ...running, root };
}

/** A client of it. */
export async function connected(url: string): Promise<Hub> {
  const hub = embeddedHub({ url, token: TOKEN });
  onTestFinished(() => hub.close());
  await hub.connect();
  return hub;
}

export const entry = (text: string): NewEntry => ({ id: `${crypto.randomUUID()}.1`, bytes: Buffer.from(text) });
