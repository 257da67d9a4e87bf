/**
 * One client of a map in a process of its own, driven by messages. Every message is answered, in order, by one that
 * bears its number; changes that the client hears of come between.
 */
import type { MapChange, SetOutcome } from '../../src/disk/map/map-area.ts';
import { MapJournal, type MapJournalOptions } from '../../src/disk/map/map-journal.ts';
import { bucketAt } from './temporary-bucket.ts';

export interface Start {
  readonly directory: string;
  readonly session: number;
  readonly url: string;
  readonly options: MapJournalOptions;
}

export type Command =
  | { readonly do: 'get' | 'remove'; readonly key: string }
  | { readonly do: 'set'; readonly key: string; readonly value: string }
  | { readonly do: 'setMany'; readonly entries: readonly (readonly [string, string])[] }
  | { readonly do: 'clear' | 'subscribe' | 'entries' }
  /** Sets keys of its own, as long as the quota allows it. */
  | { readonly do: 'fill'; readonly prefix: string; readonly units: number };

export type Answer = { readonly answer: number; readonly value: unknown } | { readonly change: MapChange };

const start = JSON.parse(process.argv[2] ?? '') as Start;
const map = new MapJournal(bucketAt(start.directory), start.options);
const client = map.client(start.session, start.url);

function send(answer: Answer): void {
  process.send?.(answer);
}

function fill(prefix: string, units: number): { accepted: number; last: SetOutcome } {
  for (let accepted = 0; ; accepted++) {
    const key = `${prefix}${accepted}`;
    const last = client.set(key, 'x'.repeat(units - key.length));
    if (!last.accepted) return { accepted, last };
  }
}

function perform(command: Command): unknown {
  switch (command.do) {
    case 'get':
      return client.get(command.key);
    case 'set':
      return client.set(command.key, command.value);
    case 'setMany':
      for (const [key, value] of command.entries) client.set(key, value);
      return null;
    case 'remove':
      return client.remove(command.key);
    case 'clear':
      return client.clear();
    case 'fill':
      return fill(command.prefix, command.units);
    case 'entries':
      return client.keys().map((key) => [key, client.get(key)]);
    case 'subscribe':
      client.subscribe((change) => send({ change }));
      return null;
  }
}

process.on('message', ({ number, command }: { number: number; command: Command }) => {
  send({ answer: number, value: perform(command) });
});
process.on('disconnect', () => process.exit());
