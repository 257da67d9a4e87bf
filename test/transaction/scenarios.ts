/** What a transaction promises, each as a test that a broken product fails; also for mutants of it. */
import type { MapListener } from '../../src/disk/map/map-area.ts';
import { MapJournal } from '../../src/disk/map/map-journal.ts';
import type { MapClient } from '../../src/disk/map/map-client.ts';
import { bucketAt } from '../map/temporary-bucket.ts';

const ownUrl = 'https://app.example/';

export interface Realms {
  readonly here: MapClient;
  readonly there: MapClient;
}

/** Two clients in what are two realms as far as the map goes. */
export function openRealms(directory: string, quota?: number): Realms {
  const open = (session: number): MapClient => new MapJournal(bucketAt(directory), { url: ownUrl, ...(quota !== undefined && { quota }) }).client(session, ownUrl);
  return { here: open(11), there: open(12) };
}

const entries = (client: MapClient): [string, string | null][] => client.keys().map((key) => [key, client.get(key)]);

/** Each gives what it saw, for a comparison with what it must see. */
export const scenarios: Record<string, { readonly run: (realms: Realms) => unknown; readonly expected: unknown }> = {
  'a write that comes between makes it run again': {
    run: ({ here, there }) => {
      here.set('count', '1');
      let runs = 0;
      here.transact((map) => {
        runs += 1;
        const count = Number(map.get('count'));
        if (runs === 1) there.set('count', '10');
        map.set('count', String(count + 1));
      });
      return [runs, there.get('count')];
    },
    expected: [2, '11'],
  },
  'what was never there at one moment makes nothing fail': {
    run: ({ here, there }) => {
      for (const key of ['a', 'b']) here.set(key, '1');
      let runs = 0;
      here.transact((map) => {
        runs += 1;
        const a = map.get('a');
        if (runs === 1) {
          for (const key of ['a', 'b']) there.set(key, '2');
          here.get('a');
        }
        if (a !== map.get('b')) throw new Error('a and b differ');
        map.set('c', String(a));
      });
      return [runs, there.get('c')];
    },
    expected: [2, '2'],
  },
  'a record that comes before its own makes it run again': {
    run: ({ here, there }) => {
      here.set('count', '1');
      there.get('count');
      let runs = 0;
      // What `here` knows when it appends is older than what the journal holds: only the machine can tell.
      here.transact((map) => {
        runs += 1;
        const count = Number(map.get('count'));
        map.set('count', String(count + 1));
        if (runs === 1) raceOnce(here, () => there.set('count', '10'));
      });
      return [runs, there.get('count')];
    },
    expected: [2, '11'],
  },
  'a key that comes between is seen by whoever has looked at all keys': {
    run: ({ here, there }) => {
      here.set('a', '1');
      let runs = 0;
      here.transact((map) => {
        runs += 1;
        map.set('keys', map.keys().join());
        if (runs === 1) raceOnce(here, () => there.set('b', '2'));
      });
      return [runs, there.get('keys')];
    },
    expected: [2, 'a,b'],
  },
  'a long value that was read is told from another': {
    run: ({ here, there }) => {
      here.set('long', 'x'.repeat(1000));
      let runs = 0;
      here.transact((map) => {
        runs += 1;
        map.set('copy', map.get('long') ?? '');
        if (runs === 1) raceOnce(here, () => there.set('long', 'y'.repeat(1000)));
      });
      return [runs, there.get('copy') === 'y'.repeat(1000)];
    },
    expected: [2, true],
  },
  'what others write elsewhere is no obstacle': {
    run: ({ here, there }) => {
      let runs = 0;
      here.transact((map) => {
        runs += 1;
        map.set('a', String(map.get('a')));
        if (runs === 1) raceOnce(here, () => there.set('b', '2'));
      });
      return [runs, entries(there)];
    },
    expected: [1, [['b', '2'], ['a', 'null']]],
  },
  'what does not fit at the end is refused as a whole': {
    run: ({ here, there }) => {
      here.set('0', '');
      const { outcome } = here.transact((map) => {
        map.set('a', 'x'.repeat(20));
        map.set('b', 'x'.repeat(20));
        raceOnce(here, () => there.set('c', 'x'.repeat(20)));
      });
      return [outcome, entries(there)];
    },
    expected: [{ accepted: false, quota: 100, requested: 128 }, [['0', ''], ['c', 'x'.repeat(20)]]],
  },
  'others hear of each change after all of them': {
    run: ({ here, there }) => {
      here.set('a', '0');
      there.get('a');
      const heard: unknown[] = [];
      const listener: MapListener = ({ key, oldValue, newValue, session }) => heard.push([key, oldValue, newValue, session]);
      const end = there.subscribe(listener);
      here.transact((map) => {
        map.set('a', '1');
        map.set('b', '2');
        map.remove('a');
        map.set('b', '3');
      });
      const seen = entries(there);
      end();
      return [seen, heard];
    },
    expected: [[['b', '3']], [['a', '0', '1', 11], ['b', null, '3', 11], ['a', '1', null, 11]]],
  },
  'clear and what comes after it are one': {
    run: ({ here, there }) => {
      here.set('a', '1');
      here.set('b', '2');
      here.transact((map) => {
        map.set('c', '3');
        map.clear();
        map.set('b', '4');
      });
      return entries(there);
    },
    expected: [['b', '4']],
  },
  'a key that is removed and set again comes last': {
    run: ({ here, there }) => {
      for (const key of ['a', 'b']) here.set(key, key);
      here.transact((map) => {
        map.remove('a');
        map.set('a', 'again');
      });
      return entries(there);
    },
    expected: [['b', 'b'], ['a', 'again']],
  },
};

/** Has `rival` write right before the client's next record, after its last look. */
function raceOnce(client: MapClient, rival: () => void): void {
  const original = client.nextSequence.bind(client);
  client.nextSequence = () => {
    client.nextSequence = original;
    rival();
    return original();
  };
}
