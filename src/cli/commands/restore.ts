import path from 'node:path';
import { restore as bringBack } from '../../host/backup/code.ts';
import type { HubPosition, RestoreOptions, RestoreResult } from '../../host/backup/types.ts';
import { hostFromEnvironment } from '../../host/install/environment.ts';
import { type Command, parse, requireArguments, UsageError, type Values } from '../command.ts';
import { hubIn, hubOptions } from '../hub-option.ts';
import { printJson, printLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { encryptionOf, keyOptions } from '../keys-option.ts';
import { isWhole, lineOf } from './backup.ts';
import { jsonOption, originOf, rootOptions, sharedOf } from '../root.ts';
import { bytes, moment, printable } from '../table.ts';

const options = {
  from: { value: 'DIR', help: 'the directory of backups' },
  at: { value: 'TIME', help: 'the last backup begun by then, such as 2026-11-26T09:00Z; or of a hub: position=N,filesPosition=N' },
  ...hubOptions,
  origin: { value: 'ORIGIN', help: 'the one to bring back, in place of the present one; default: all' },
  as: { value: 'ORIGIN', help: 'what it becomes, beside the present one' },
  replace: { help: 'replace whatever is there; of a whole root, remove other origins too' },
  'skip-damaged': { help: 'leave out what the backup has lost' },
  ...keyOptions,
  ...jsonOption,
  ...rootOptions,
} as const;

export const restore: Command = {
  name: 'restore',
  summary: 'bring an origin, or a root, back from a directory of backups',
  usage: '--from DIR [--at TIME | --at POSITION --hub URL] [--origin ORIGIN [--as ORIGIN]] [--replace] [--json]',
  options,
  notes: ['All is read and checked before anything changes. A root that has origins is replaced only with --replace,', 'and so is what has the name that --as gives. A position of a hub, or of one of its two orders, is restored beside:', 'as another origin, or to another root.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const request = requestOf(values);
    const encryption = await encryptionOf(values);
    const hub = await hubIn(values);
    const progress = new Progress();
    const result = await bringBack({
      ...request,
      ...(hub !== null && { hub }),
      ...(encryption !== undefined && { encryption }),
      onProgress: ({ done, total }) => progress.update(done, total, (count) => `${count} origins`),
    }).finally(async () => {
      progress.end();
      await hub?.close();
    });
    if (values.json) printJson(result);
    else printLines(report(result, values.at, positionIn(values.at)));
    return result.lost.length === 0 && isWhole(result) ? 0 : 1;
  },
};

/** @throws UsageError; HoldfastError bad-option */
function requestOf(values: Values<typeof options>): Omit<RestoreOptions, 'hub' | 'onProgress'> {
  const { from, origin, as } = values;
  if (from === undefined || from === '') throw new UsageError("'--from DIR' is missing");
  if (as !== undefined && origin === undefined) throw new UsageError("'--as' needs '--origin'");
  const at = momentIn(values);
  return {
    from,
    shared: sharedOf(values),
    root: path.resolve(values.root ?? String(hostFromEnvironment().root)),
    ...(at !== undefined && { at }),
    ...(origin !== undefined && { origin: originOf(origin) }),
    ...(as !== undefined && { as: originOf(as) }),
    // Who names an origin, and no other name for it, means that one; what a hub would give again is not replaced.
    replace: values.replace === true || (origin !== undefined && as === undefined && typeof at !== 'object'),
    skipDamaged: values['skip-damaged'] === true,
  };
}

/** @throws UsageError */
function momentIn({ at, hub, origin }: Values<typeof options>): string | HubPosition | undefined {
  const position = positionIn(at);
  if (position !== null) {
    if (hub === undefined || origin === undefined) throw new UsageError("a position in '--at' needs '--origin' and '--hub'");
    return position;
  }
  if (at !== undefined && Number.isNaN(Date.parse(at))) throw new UsageError(`'--at' takes a time such as 2026-11-26T09:00Z, or position=N,filesPosition=N, not '${at}'`);
  if (hub !== undefined) throw new UsageError("'--hub' is for a position in '--at'");
  return at;
}

/** As `sync status` names them. */
const PLACES = /^(?:position=([0-9]+))?(?:(?:^|,)filesPosition=([0-9]+))?$/;

/** Null: it is a time, or nothing. */
function positionIn(at = ''): HubPosition | null {
  const [, position, filesPosition] = PLACES.exec(at) ?? [];
  if (position === undefined && filesPosition === undefined) return null;
  return { ...(position !== undefined && { position: Number(position) }), ...(filesPosition !== undefined && { filesPosition: Number(filesPosition) }) };
}

function report({ time, origins, files, bytes: size, lost, problems }: RestoreResult, at: string | undefined, position: HubPosition | null): string[] {
  const what = origins.length === 1 ? String(origins[0]) : `${origins.length} origins`;
  const when = moment(time.getTime());
  return [
    ...lost.map(({ origin, path: at, message }) => printable(`lost: ${origin} ${at ?? '(a part of the list of files)'}: ${message}`)),
    ...problems.map(lineOf),
    position === null ? `${what} as of ${when}: ${files} files of ${bytes(size)}` : `${what} at ${at}, from the backup of ${when}`,
  ];
}
