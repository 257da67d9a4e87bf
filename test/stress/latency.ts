import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Realm } from '../coherence/realm.ts';

/** Milliseconds from the call that changed something to the event in another process. */
export interface Latency {
  readonly of: string;
  readonly median: number;
  readonly p99: number;
}

const ROUNDS = 200;
/** Both processes are idle again before the next change. */
const REST_MS = 5;

/** Changes something in one process again and again, and asks the other when it heard of it. */
async function measure(of: string, change: (round: number) => Promise<unknown>, heardAt: (round: number) => Promise<bigint | null>): Promise<Latency> {
  const latencies: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.hrtime.bigint();
    await change(round);
    let at = await heardAt(round);
    for (; at === null; at = await heardAt(round)) await pause(1);
    latencies.push(Number(at - before) / 1e6);
    await pause(REST_MS);
  }
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? NaN;
  return { of, median: at(0.5), p99: at(0.99) };
}

/** How soon another process hears of a change. Only on an idle machine does this tell anything about Holdfast. */
export async function measureLatencies(): Promise<Latency[]> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-latency-'));
  const options = { root: path.join(directory, 'root'), origin: 'https://app.example' };
  const [writer, listener] = await Promise.all([Realm.start(options), Realm.start(options)]);
  try {
    await writer.ask('set', 'k', '');
    await listener.ask('listen', '/');
    await listener.ask('observe');
    const heard = async (round: number): Promise<bigint | null> => (await listener.ask('heard', '/'))[round]?.at ?? null;
    const storage = await measure('storage event', (round) => writer.ask('set', 'k', `${round}`), heard);
    let last = 0n;
    const observed = async (): Promise<bigint | null> => {
      const at = await listener.ask('observedAt');
      if (at === last) return null;
      last = at;
      return at;
    };
    const files = await measure('observer record', (round) => writer.ask('makeDirectory', `${round}`), observed);
    return [storage, files];
  } finally {
    await Promise.all([writer.kill(), listener.kill()]);
    fs.rmSync(directory, { recursive: true, force: true });
  }
}
