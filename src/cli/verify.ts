import path from 'node:path';
import { ChannelMachine } from '../disk/channels/channel-machine.ts';
import { LockMachine } from '../disk/locks/machine.ts';
import { MapMachine } from '../disk/map/map-machine.ts';
import { Root } from '../disk/root/root.ts';
import { type Finding, isHarmless } from '../disk/verify/finding.ts';
import { databaseExaminer } from '../disk/records/examine.ts';
import type { Knowledge } from '../disk/verify/knowledge.ts';
import { type Verification, verifyRoot } from '../disk/verify/root.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { uptime } from '../runtime/timers.ts';
import { FilesMachine } from '../sync/files/files-machine.ts';
import { type Command, parse, table, UsageError } from './command.ts';

const options = {
  root: { value: 'DIR', help: 'the root; it may be in use' },
  json: { help: 'print one JSON document' },
} as const;

export const verify: Command = {
  name: 'verify',
  summary: 'look for damage in all that is recorded in a root',
  usage: '--root DIR [--json]',
  options,
  run: check,
};

const nothing = (): void => {};

async function load(): Promise<Knowledge> {
  const { CacheMachine, faultsOfResponses, listResponses } = await import('../host/caches/code.ts');
  const { AccountMachine, weighBucket } = await import('../host/file-code.ts');
  const machines = {
    'local-storage': (url: string) => new MapMachine(url),
    locks: () => new LockMachine({ settled: nothing, lost: nothing, left: nothing, ended: nothing, webStirred: nothing, changed: nothing, gap: nothing, restored: nothing }),
    quota: () => new AccountMachine(),
    'files-sync': () => new FilesMachine(),
    channels: () => new ChannelMachine(),
    'caches/index': () => new CacheMachine(),
  };
  return { machines, responses: { list: listResponses, faults: faultsOfResponses }, weigh: weighBucket, examine: await databaseExaminer() };
}

/** Exit code 1 when something is lost or cannot be told. */
async function check(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(options, args);
  if (positionals.length > 0) throw new UsageError(`unexpected '${positionals[0]}'`);
  if (values.root === undefined || values.root === '') throw new UsageError("'--root DIR' is missing");
  // Nothing is appended, so that the root may be on any disk.
  const root = new Root(path.resolve(values.root), 'relaxed', 'lockfile');
  if (root.open() === null) throw new HoldfastError('root-unusable', `There is no root at ${root.path}.`);
  const verification = verifyRoot(root, await load(), progress());
  if (process.stderr.isTTY) process.stderr.write(ERASE);
  const isSound = verification.findings.every(isHarmless);
  for (const line of values.json ? json(root.path, isSound, verification) : report(root.path, verification)) console.log(line);
  return isSound ? 0 : 1;
}

/** Back to the beginning of the line, and nothing in it. */
const ERASE = '\r\x1b[K';
const PROGRESS_MS = 250;

/** Shows on a terminal, now and then, how far it has come. */
function progress(): (done: number, total: number) => void {
  let last = uptime();
  return (done, total) => {
    if (!process.stderr.isTTY || uptime() - last < PROGRESS_MS) return;
    last = uptime();
    process.stderr.write(`${ERASE}${done} of ${total} origins`);
  };
}

function json(root: string, isSound: boolean, { origins, journals, findings }: Verification): string[] {
  return [JSON.stringify({ root, sound: isSound, origins, journals, findings }, null, 2)];
}

const HEADINGS = ['kind', 'origin', 'file', 'offset', 'bytes'];

function report(root: string, { origins, journals, findings }: Verification): string[] {
  const lost = findings.filter((finding) => !isHarmless(finding)).length;
  const what = lost === 0 ? 'no damage' : lost === 1 ? 'damage in one place' : `damage in ${lost} places`;
  const summary = `${root}: ${what}. Looked at ${count(journals, 'journal')} of ${count(origins, 'origin')}.`;
  if (findings.length === 0) return [summary];
  const [headings = '', ...rows] = table([HEADINGS, ...findings.map((finding) => cells(root, finding))]);
  return [headings, ...rows.flatMap((row, index) => [row, `  ${findings[index]?.message}`]), '', summary];
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

function cells(root: string, { kind, origin, path: file, offset, length }: Finding): string[] {
  return [kind, origin ?? '-', path.relative(root, file), String(offset), String(length)];
}
