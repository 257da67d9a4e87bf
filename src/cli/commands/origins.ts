import { summaries } from '../../host/operations/origins.ts';
import type { BucketSummary, CoordinatorsSummary } from '../../host/operations/types.ts';
import { type Command, parse, requireArguments } from '../command.ts';
import { fileCounter } from '../files/count.ts';
import { printJsonLine, printLines } from '../output.ts';
import { keyOptions } from '../keys-option.ts';
import { encryptedOrigins, jsonOption, openRootWithKey, rootOptions, unlockAll } from '../root.ts';
import { bytes, type Cell, moment, table } from '../table.ts';

const options = { ...jsonOption, ...keyOptions, ...rootOptions } as const;

const HEADINGS = ['origin', 'bucket', 'total', 'localStorage', 'items', 'files', 'number', 'databases', 'caches', 'last change'];

export const origins: Command = {
  name: 'origins',
  summary: 'list the origins of a root, with what they take',
  usage: '[--json]',
  options,
  notes: ['Bytes are those that count in quotas. The last change may be a lock that was taken. Coordinators are shown together;', "'holdfast coordinators' lists them."],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const root = await openRootWithKey(values);
    await unlockAll(values, root, encryptedOrigins(root), 'told');
    const rows: Cell[][] = [];
    for await (const { origin, buckets, coordinators, ...summary } of summaries(root)) {
      const counted = buckets.map((bucket, index) => ({ ...bucket, files: fileCounter(root, origin, index) }));
      if (values.json) printJsonLine({ origin, ...summary, buckets: counted, coordinators });
      else rows.push(...counted.map((bucket) => rowOf(origin, bucket)), ...rowsOf(origin, coordinators));
    }
    if (!values.json) printLines(rows.length === 0 ? [`${root.path} has no origins.`] : table([HEADINGS, ...rows.sort(byName)]));
    return 0;
  },
};

function rowsOf(origin: string, { count, ...summary }: CoordinatorsSummary): Cell[][] {
  return count === 0 ? [] : [rowOf(origin, { name: count === 1 ? '1 coordinator' : `${count} coordinators`, files: '-', ...summary })];
}

function rowOf(origin: string, { name, usage, usageDetails, items, files, lastChange }: BucketSummary & { readonly files: Cell }): Cell[] {
  const { localStorage, fileSystem, indexedDB, caches } = usageDetails;
  return [origin, name, bytes(usage), bytes(localStorage), items, bytes(fileSystem), files, bytes(indexedDB), bytes(caches), moment(lastChange)];
}

function byName([a = '', b = '']: readonly Cell[], [c = '', d = '']: readonly Cell[]): number {
  return a === c ? (b < d ? -1 : 1) : a < c ? -1 : 1;
}
