import path from 'node:path';
import { restore as bringBack } from '../../host/backup/code.ts';
import type { RestoreResult } from '../../host/backup/types.ts';
import { hostFromEnvironment } from '../../host/install/environment.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { printJson, printLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { jsonOption, originOf, rootOptions } from '../root.ts';
import { bytes, moment, printable } from '../table.ts';

const options = {
  from: { value: 'DIR', help: 'the directory of backups' },
  at: { value: 'TIME', help: 'the last backup that was begun by then, such as 2026-11-26T09:00Z; default: the last one' },
  origin: { value: 'ORIGIN', help: 'the one to bring back, in place of the present one; default: all' },
  as: { value: 'ORIGIN', help: 'what it becomes, beside the present one' },
  replace: { help: 'replace whatever is there; of a whole root, remove other origins too' },
  'skip-damaged': { help: 'leave out what the backup has lost' },
  ...jsonOption,
  root: rootOptions.root,
} as const;

export const restore: Command = {
  name: 'restore',
  summary: 'bring an origin, or a root, back from a directory of backups',
  usage: '--from DIR [--at TIME] [--origin ORIGIN [--as ORIGIN]] [--replace] [--json]',
  options,
  notes: ['All is read and checked before anything changes. A root that has origins is replaced only with --replace,', 'and so is what has the name that --as gives.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const { from, at, origin, as, json } = values;
    if (from === undefined || from === '') throw new UsageError("'--from DIR' is missing");
    if (as !== undefined && origin === undefined) throw new UsageError("'--as' needs '--origin'");
    if (at !== undefined && Number.isNaN(Date.parse(at))) throw new UsageError(`'--at' takes a time such as 2026-11-26T09:00Z, not '${at}'`);
    const progress = new Progress();
    const result = await bringBack({
      from,
      root: path.resolve(values.root ?? String(hostFromEnvironment().root)),
      ...(at !== undefined && { at }),
      ...(origin !== undefined && { origin: originOf(origin) }),
      ...(as !== undefined && { as: originOf(as) }),
      // Who names an origin, and no other name for it, means that one.
      replace: values.replace === true || (origin !== undefined && as === undefined),
      skipDamaged: values['skip-damaged'] === true,
      onProgress: ({ done, total }) => progress.update(done, total, (count) => `${count} origins`),
    }).finally(() => progress.end());
    if (json) printJson(result);
    else printLines(report(result));
    return result.lost.length === 0 ? 0 : 1;
  },
};

function report({ time, origins, files, bytes: size, lost }: RestoreResult): string[] {
  return [
    ...lost.map(({ origin, path: at, message }) => printable(`lost: ${origin} ${at ?? '(a part of the list of files)'}: ${message}`)),
    `${origins.length === 1 ? origins[0] : `${origins.length} origins`} as of ${moment(time.getTime())}: ${files} files of ${bytes(size)}`,
  ];
}
