import fs from 'node:fs';
import path from 'node:path';
import type { Death } from '../history.ts';
import type { ThreadDeath } from './actor-fixture.ts';

/** When the realms of a process ended that did not end by themselves: with the process, or before it. */
export function deathsOf(realms: Iterable<string>, processes: ReadonlyMap<string, Death>, directory: string): Map<string, Death> {
  const deaths = new Map<string, Death>();
  for (const realm of realms) {
    const death = processes.get(processOf(realm));
    if (death !== undefined) deaths.set(realm, death);
  }
  for (const process of fs.readdirSync(directory)) addThreads(deaths, path.join(directory, process), processes.get(process));
  return deaths;
}

function processOf(realm: string): string {
  return realm.replace(/[mw]\d*$/, '');
}

/** Of a thread that was being ended when its process was killed, nobody wrote down when it was gone. */
function addThreads(deaths: Map<string, Death>, file: string, whole: Death | undefined): void {
  const lines = fs.readFileSync(file, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as ThreadDeath);
  for (const { realm, signalled, gone } of lines) {
    const known = deaths.get(realm);
    if (signalled !== undefined) deaths.set(realm, { signalled, gone: whole?.gone ?? Infinity });
    else if (known !== undefined && gone !== undefined) deaths.set(realm, { ...known, gone });
  }
}
