import { ENTRY_BYTES } from '../../disk/quota/ledger.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { type BucketOfOrigin, bucketsOf, keysOf, placeOf } from '../../disk/root/origins.ts';
import type { Root } from '../../disk/root/root.ts';
import { withReadOnlyTree } from '../../host/archive/export-files.ts';
import { coordinatorSummaries, summaries, summaryOfOrigin } from '../../host/operations/origins.ts';
import type { BucketSummary } from '../../host/operations/types.ts';
import { COORDINATORS } from '../../disk/coordinator/coordinator-names.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { opfsPath, shown } from '../opfs-path.ts';
import { printJsonLine, printLines } from '../output.ts';
import { keyOptions } from '../keys-option.ts';
import { bucketOption, jsonOption, openRootWithKey, encryptedOrigins, originOption, readableOrigin, requireOrigin, rootOptions, unlockAll } from '../root.ts';
import { bytes, type Cell, table } from '../table.ts';

const options = {
  ...originOption,
  ...bucketOption,
  depth: { value: 'N', help: 'how deep directories are listed; default: 1' },
  ...jsonOption,
  ...keyOptions,
  ...rootOptions,
} as const;

export const du: Command = {
  name: 'du',
  summary: 'show what takes the space: by origin and kind; of one origin by directory too',
  usage: '[--origin ORIGIN [--bucket NAME] [opfs:/PATH] [--depth N]] [--json]',
  options,
  notes: ['Bytes are those that count in quotas: of each file and directory 4,096 beside its content.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, [], values.origin === undefined ? 0 : 1);
    const { names } = opfsPath(positionals[0] ?? 'opfs:/');
    const depth = depthOf(values.depth ?? '1');
    requireOrigin(values);
    const root = await openRootWithKey(values);
    const origin = values.origin === undefined ? null : await readableOrigin(values, root);
    if (origin === null) await unlockAll(values, root, encryptedOrigins(root), 'told');
    const isMeant = ({ bucket }: Row): boolean => values.bucket === undefined || bucket === values.bucket;
    const rows = (origin === null ? await kindsOf(root) : kindsOfOrigin(root, origin)).filter(isMeant);
    rows.sort((a, b) => b.bytes - a.bytes);
    if (origin !== null) rows.push(...(await directoriesOf(root, origin, names, depth)).filter(isMeant));
    if (values.json) for (const row of rows) printJsonLine(row);
    else printLines(table([['bytes', '', 'origin', 'bucket', 'kind', 'directory'], ...rows.map(cellsOf)]));
    return 0;
  },
};

interface Row {
  readonly origin: string;
  readonly bucket: string;
  readonly kind: string;
  /** Null: all of the kind. */
  readonly path: string | null;
  readonly bytes: number;
}

function depthOf(text: string): number {
  if (/^[0-9]{1,4}$/.test(text)) return Number(text);
  throw new UsageError(`'--depth' takes a number, not '${text}'`);
}

function cellsOf({ origin, bucket, kind, path, bytes: count }: Row): Cell[] {
  return [count, bytes(count), origin, bucket, kind, path ?? ''];
}

async function kindsOf(root: Root): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { origin, buckets, coordinators } of summaries(root)) {
    for (const bucket of [...buckets, { name: COORDINATORS, ...coordinators }]) rows.push(...kindsIn(origin, bucket));
  }
  return rows;
}

/** Of one origin each coordinator is shown. */
function kindsOfOrigin(root: Root, origin: string): Row[] {
  const place = { origin, path: pathOfOrigin(root, origin) };
  const coordinators = Array.from(coordinatorSummaries(place, root.vaults), (each) => ({ ...each, name: `${COORDINATORS}/${each.className}/${each.name}` }));
  return [...(summaryOfOrigin(place, root.vaults)?.buckets ?? []), ...coordinators].flatMap((bucket) => kindsIn(origin, bucket));
}

function kindsIn(origin: string, { name: bucket, usageDetails }: Pick<BucketSummary, 'name' | 'usageDetails'>): Row[] {
  const rows = Object.entries(usageDetails).map(([kind, count]) => ({ origin, bucket, kind, path: null, bytes: count }));
  return rows.filter(({ bytes: count }) => count > 0);
}

async function directoriesOf(root: Root, origin: string, names: readonly string[], depth: number): Promise<Row[]> {
  const found = await Promise.all(bucketsOf(pathOfOrigin(root, origin), keysOf(root, origin)).map((bucket) => directoriesIn(root, origin, bucket, names, depth)));
  return found.flat().sort((a, b) => b.bytes - a.bytes);
}

async function directoriesIn(root: Root, origin: string, of: BucketOfOrigin, names: readonly string[], depth: number): Promise<Row[]> {
  const { name: bucket } = of;
  const foldsNames = root.open()?.foldsNames ?? false;
  return withReadOnlyTree({ place: placeOf(root, origin, of), foldsNames }, async (tree) => {
    const rows: Row[] = [];
    const weigh = (at: readonly string[], level: number): number => {
      let total = 0;
      for (const [name, kind] of tree.entries(at)) {
        const look = tree.look([...at, name]);
        total += ENTRY_BYTES + (look?.kind === 'file' ? look.size : 0) + (kind === 'directory' ? weigh([...at, name], level + 1) : 0);
      }
      if (level <= depth) rows.push({ origin, bucket, kind: 'fileSystem', path: shown(at), bytes: total });
      return total;
    };
    if (tree.kindOf(names) === 'directory') weigh(names, 0);
    return rows;
  });
}
