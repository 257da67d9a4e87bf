import type { FileSystemChangeRecord } from '../../file-system/change-record.ts';
import { FileSystemObserver } from '../../file-system/observer.ts';
import type { StorageEvent } from '../../web-storage/storage-event.ts';
import { clearInterval, setInterval, wallClock } from '../../runtime/timers.ts';
import { type Command, parse, requireArguments } from '../command.ts';
import { onInterruption } from '../interruption.ts';
import { shown } from '../opfs-path.ts';
import { printJsonLine } from '../output.ts';
import { keyOptions } from '../keys-option.ts';
import { bucketOption, jsonOption, namedBucketIn, originOption, rootOptions, withClient } from '../root.ts';
import { moment, printable } from '../table.ts';

const options = { ...originOption, ...bucketOption, ...jsonOption, ...keyOptions, ...rootOptions } as const;

/** A change, as a line of JSON says it. */
type Change = { readonly kind: 'storage'; readonly key: string | null; readonly oldValue: string | null; readonly newValue: string | null; readonly url: string } | { readonly kind: 'file'; readonly type: string; readonly path: string; readonly from: string | null };

export const watch: Command = {
  name: 'watch',
  summary: 'print changes of an origin, of localStorage and files, as they happen',
  usage: '--origin ORIGIN [--bucket NAME] [--json]',
  options,
  notes: ['Runs until it is told to end (Control-C). What it prints first on the standard error says that it listens.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const signal = onInterruption();
    return withClient(values, async (client) => {
      const tell = (change: Change): void => print(change, values.json === true);
      const bucket = await namedBucketIn(values, client);
      if (bucket === null) client.addEventListener('storage', (event) => tell(storageChange(event as StorageEvent)));
      const observer = new FileSystemObserver((records) => records.forEach((record) => tell(fileChange(record))));
      await observer.observe(await (bucket ?? client.storage).getDirectory(), { recursive: true });
      console.error(`holdfast watch: listening to ${client.origin}${bucket === null ? '' : `, bucket ${bucket.name}`}`);
      // Neither of both keeps the process alive.
      await ended(signal);
      observer.disconnect();
      return 0;
    });
  },
};

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const staying = setInterval(() => undefined, 2 ** 30);
    signal.addEventListener('abort', () => {
      clearInterval(staying);
      resolve();
    });
  });
}

function storageChange({ key, oldValue, newValue, url }: StorageEvent): Change {
  return { kind: 'storage', key, oldValue, newValue, url };
}

function fileChange({ type, relativePathComponents, relativePathMovedFrom }: FileSystemChangeRecord): Change {
  return { kind: 'file', type, path: shown(relativePathComponents), from: relativePathMovedFrom === null ? null : shown(relativePathMovedFrom) };
}

function print(change: Change, isJson: boolean): void {
  if (isJson) return printJsonLine({ time: wallClock(), ...change });
  console.log(`${moment(wallClock())}  ${printable(sentence(change))}`);
}

/** Values may be long: people see their beginning. */
const SHOWN_LENGTH = 60;

function sentence(change: Change): string {
  if (change.kind === 'file') return `${change.type} ${change.from === null ? '' : `${change.from} → `}${change.path}`;
  if (change.key === null) return 'clear';
  if (change.newValue === null) return `remove ${change.key}`;
  const { newValue } = change;
  return `set ${change.key} = ${newValue.length > SHOWN_LENGTH ? `${newValue.slice(0, SHOWN_LENGTH)}… (${newValue.length})` : newValue}`;
}
