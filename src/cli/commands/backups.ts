import path from 'node:path';
import { checkBackups, type Checked } from '../../disk/backup/check.ts';
import { parseKeep } from '../../disk/backup/keep.ts';
import { prune } from '../../disk/backup/prune.ts';
import { Repository } from '../../disk/backup/repository.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { printJson, printLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { jsonOption } from '../root.ts';
import { bytes, moment, printable, table } from '../table.ts';

const options = {
  from: { value: 'DIR', help: 'the directory of backups' },
  verify: { help: 'read everything that they need, and say what is damaged' },
  prune: { value: 'WHICH', help: "remove all but '24h,30d,12m': the last one of so many hours, days and months" },
  ...jsonOption,
} as const;

export const backups: Command = {
  name: 'backups',
  summary: 'list the backups of a directory, check them, or remove some',
  usage: '--from DIR [--verify] [--prune WHICH] [--json]',
  options,
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const { from, verify, prune: which, json = false } = values;
    if (from === undefined || from === '') throw new UsageError("'--from DIR' is missing");
    if (verify && which !== undefined) throw new UsageError("'--verify' and '--prune' exclude each other");
    const directory = path.resolve(from);
    if (verify) return await check(directory, json);
    if (which !== undefined) return await remove(directory, which, json);
    return list(directory, json);
  },
};

/** One backup, as it is shown; null where its manifest is damaged. */
interface Row {
  readonly time: Date;
  readonly origins: readonly string[] | null;
  readonly bytes: number;
  readonly problems: number;
}

function list(directory: string, json: boolean): number {
  const repository = Repository.open(directory);
  const rows = repository.backups().map((backup): Row => {
    const time = new Date(backup.time);
    try {
      const { origins, problems } = repository.read(backup);
      return { time, origins: origins.map(({ origin }) => origin), bytes: origins.reduce((sum, each) => sum + each.bytes, 0), problems: problems.length };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      console.error(`holdfast backups: ${printable(errorMessage(error))}`);
      return { time, origins: null, bytes: 0, problems: 0 };
    }
  });
  if (json) printJson(rows);
  else if (rows.length === 0) console.log(`${directory} has no backups.`);
  else printLines(table([['begun', 'origins', 'size', 'problems'], ...rows.map((row) => [moment(row.time.getTime()), row.origins?.length ?? 'damaged', bytes(row.bytes), row.problems])]));
  return rows.some(({ origins }) => origins === null) ? 1 : 0;
}

async function check(directory: string, json: boolean): Promise<number> {
  const progress = new Progress();
  const checked = await checkBackups(directory, (chunks) => progress.update(chunks, null, (count) => `${count} chunks`)).finally(() => progress.end());
  if (json) printJson(checked);
  else printLines(report(checked));
  return checked.damage.length === 0 ? 0 : 1;
}

function report({ backups: count, chunks, bytes: size, damage }: Checked): string[] {
  const lost = damage.map(({ backup, origin, path: at, message }) => printable(`damaged: ${moment(backup.time)} ${origin ?? ''} ${at ?? (origin === null ? '' : '(a part of the list of files)')}: ${message}`));
  return [...lost, `${count} backups, ${chunks} chunks of ${bytes(size)}: ${damage.length === 0 ? 'all whole' : `${damage.length} damages`}`];
}

async function remove(directory: string, which: string, json: boolean): Promise<number> {
  const pruned = await prune(directory, parseKeep(which));
  if (json) printJson({ ...pruned, removed: pruned.removed.map(({ time }) => new Date(time)) });
  else console.log(`kept ${pruned.kept}, removed ${pruned.removed.length}; gave back ${bytes(pruned.bytes)}`);
  return 0;
}
