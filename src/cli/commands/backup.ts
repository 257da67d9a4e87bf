import { setTimeout } from 'node:timers/promises';
import type { BackupProblem, BackupResult } from '../../host/backup/types.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { uptime } from '../../runtime/timers.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { onInterruption } from '../interruption.ts';
import { printJson, printJsonLine, printLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { keyOptions } from '../keys-option.ts';
import { jsonOption, originOf, rootOptions, withHost } from '../root.ts';
import { bytes, moment, printable } from '../table.ts';

const options = {
  to: { value: 'DIR', help: 'the directory of backups; made where there is none' },
  origin: { value: 'ORIGIN', isList: true, help: 'which one; may be given several times; default: all' },
  every: { value: 'TIME', help: 'go on until told to end, one each 90s, 15m, 6h or 1d' },
  keep: { value: 'WHICH', help: "remove others afterwards: '24h,30d,12m' keeps the last one of so many hours, days and months" },
  ...keyOptions,
  ...jsonOption,
  ...rootOptions,
} as const;

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

export const backup: Command = {
  name: 'backup',
  summary: 'add a backup of the root to a directory of backups, as of one moment for each origin',
  usage: '--to DIR [--origin ORIGIN]... [--every TIME] [--keep WHICH] [--json]',
  options,
  notes: ['Only what has changed since the last backup is read. Exit code 1 also when something had to be left out.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const { to, origin, keep, every, json } = values;
    if (to === undefined || to === '') throw new UsageError("'--to DIR' is missing");
    const interval = every === undefined ? null : intervalOf(every);
    const signal = onInterruption();
    const once = (): Promise<BackupResult> => withHost(values, async (host) => {
      const progress = new Progress();
      try {
        const onProgress = ({ done, total }: { done: number; total: number }): void => progress.update(done, total, (count) => `${count} origins`);
        return await host.backup(to, { onProgress, signal, ...(keep !== undefined && { keep }), ...(origin !== undefined && { origins: origin.map(originOf) }) });
      } finally {
        progress.end();
      }
    });
    if (interval !== null) return await repeat(once, interval, signal, json === true);
    const result = await once();
    if (json) printJson(result);
    else printLines(report(result));
    return isWhole(result) ? 0 : 1;
  },
};

/** @throws UsageError */
function intervalOf(text: string): number {
  const [, count, unit = ''] = /^([1-9][0-9]{0,5})([smhd])$/.exec(text) ?? [];
  const length = units[unit];
  if (count === undefined || length === undefined) throw new UsageError(`'--every' takes a time such as 15m, with s, m, h or d; not '${text}'`);
  return Number(count) * length;
}

/** One that fails is told, and the next one is tried. Being told to end is how it ends. */
async function repeat(once: () => Promise<BackupResult>, interval: number, signal: AbortSignal, isJson: boolean): Promise<number> {
  while (!signal.aborted) {
    const begun = uptime();
    try {
      const result = await once();
      if (isJson) printJsonLine(result);
      else printLines(report(result));
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof HoldfastError) || error.code === 'bad-option') throw error;
      console.error(`holdfast backup: ${printable(errorMessage(error))}`);
    }
    await setTimeout(Math.max(0, interval - (uptime() - begun)), undefined, { signal }).catch(() => undefined);
  }
  return 0;
}

export function isWhole({ problems }: Pick<BackupResult, 'problems'>): boolean {
  return problems.every(({ kind }) => kind === 'apart');
}

/** What a backup lacks, as it is told. */
export function lineOf({ kind, origin, path, message }: BackupProblem): string {
  return printable(`${kind === 'apart' ? 'of another moment' : 'left out'}: ${origin}${path === '' ? '' : ` ${path}`}: ${message}`);
}

function report({ time, origins, files, bytes: all, read, stored, problems }: BackupResult): string[] {
  const what = `${origins === 1 ? '1 origin' : `${origins} origins`}, ${files} files of ${bytes(all)}`;
  return [
    `${moment(time.getTime())}: ${what}; read ${bytes(read.bytes)}, stored ${bytes(stored.bytes)}`,
    ...problems.map(lineOf),
  ];
}
