// bench/results.json: what was measured last, area by area, and where. Every number in the README is from there.
import { readFile } from 'node:fs/promises';
import os from 'node:os';

/** Contestants take turns. */
export const interleaved = ['web-storage', 'sync-access', 'files', 'locks', 'indexed-db', 'cache', 'channel', 'sqlite'];
const measuredAlone = ['start', 'tenants', 'scale', 'sync', 'operations', 'coordinator', 'encryption'];
export const areas = [...interleaved, ...measuredAlone];

export const resultsFile = new URL('results.json', import.meta.url);

/** What is stored; empty before the first run. */
export async function readResults() {
  try {
    return JSON.parse(await readFile(resultsFile, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    return { environment: {}, areas: {} };
  }
}

/** The areas that were measured, in the order of the table. */
export const inOrder = (stored) => areas.flatMap((area) => stored.areas[area] ?? []);

/** Where and when an area is measured. */
export function environment() {
  const [{ model }] = os.cpus();
  return { date: new Date().toISOString().slice(0, 10), cpu: model.trim(), cores: os.availableParallelism(), system: `${os.type()} ${os.release().split('-')[0]}` };
}
