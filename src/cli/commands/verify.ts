import path from 'node:path';
import { ChannelMachine } from '../../disk/channels/channel-machine.ts';
import { RegisterMachine } from '../../disk/buckets/machine.ts';
import { OwnedMachine } from '../../disk/coordinator/owned-machine.ts';
import { LockMachine } from '../../disk/locks/machine.ts';
import { MapSkim } from '../../disk/map/map-skim.ts';
import { withMaintenance } from '../../disk/maintenance/maintenance-lock.ts';
import type { Root } from '../../disk/root/root.ts';
import { endedIn } from '../../disk/verify/bucket.ts';
import { type Finding, isHarmless } from '../../disk/verify/finding.ts';
import { repair, type Repair } from '../../disk/verify/repair.ts';
import { databaseExaminer } from '../../disk/records/examine.ts';
import type { Knowledge } from '../../disk/verify/knowledge.ts';
import { type Verification, verifyRoot } from '../../disk/verify/root.ts';
import { FilesMachine } from '../../sync/files/files-machine.ts';
import { type Command, parse, requireArguments } from '../command.ts';
import { printJson, printLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { keyOptions } from '../keys-option.ts';
import { encryptedOrigins, jsonOption, openRoot, openRootWithKey, rootOptions, unlockAll } from '../root.ts';
import { table } from '../table.ts';

const options = {
  repair: { help: 'do about it what loses nothing more, and look again' },
  ...keyOptions,
  ...jsonOption,
  ...rootOptions,
} as const;

export const verify: Command = {
  name: 'verify',
  summary: 'look for damage in all that is recorded in a root',
  usage: '[--repair] [--json]',
  options,
  notes: ['With the key of an encrypted origin all of it is authenticated: records, names, blocks of files. Without,', 'only checksums and structure are looked at, which it says.'],
  run: check,
};

const nothing = (): void => {};

async function load(): Promise<Knowledge> {
  const { CacheMachine, faultsOfResponses, listResponses } = await import('../../host/caches/code.ts');
  const { AccountMachine, weighBucket } = await import('../../host/file-code.ts');
  const machines = {
    'local-storage': (url: string) => new MapSkim(url),
    locks: () => new LockMachine({ settled: nothing, lost: nothing, left: nothing, ended: nothing, webStirred: nothing, changed: nothing, gap: nothing, restored: nothing }),
    quota: () => new AccountMachine(),
    'files-sync': () => new FilesMachine(),
    channels: () => new ChannelMachine(),
    'caches/index': () => new CacheMachine(),
    register: () => new RegisterMachine(),
    turns: () => new OwnedMachine(),
  };
  return { machines, responses: { list: listResponses, faults: faultsOfResponses }, weigh: weighBucket, examine: await databaseExaminer() };
}

/** Exit code 1 when something is lost or cannot be told. */
async function check(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(options, args);
  requireArguments(positionals, []);
  const knowledge = await load();
  const repairs = values.repair ? await repairAll(await openUnlocked(values, openRoot), knowledge) : [];
  // Nothing is appended, so that the root may be on any disk.
  const root = await openUnlocked(values);
  const verification = look(root, knowledge);
  const isSound = verification.findings.every(isHarmless);
  if (values.json) printJson({ root: root.path, sound: isSound, ...verification, ...(values.repair && { repairs }) });
  else printLines([...repairs.map(({ path: at, message }) => `repaired  ${path.relative(root.path, at)}\n  ${message}`), ...report(root.path, verification)]);
  return isSound ? 0 : 1;
}

/** What does not open is looked at as far as that goes. */
async function openUnlocked(...given: Parameters<typeof openRootWithKey>): Promise<Root> {
  const root = await openRootWithKey(...given);
  await unlockAll(given[0], root, encryptedOrigins(root), 'told');
  return root;
}

function look(root: Root, knowledge: Knowledge): Verification {
  const progress = new Progress();
  const verification = verifyRoot(root, knowledge, (done, total) => progress.update(done, total, (count) => `${count} origins`));
  progress.end();
  return verification;
}

async function repairAll(root: Root, knowledge: Knowledge): Promise<Repair[]> {
  const { findings } = look(root, knowledge);
  return withMaintenance(root, () => repair(root, findings, (bucket) => endedIn(bucket, knowledge)));
}

const HEADINGS = ['kind', 'origin', 'file', 'offset', 'bytes'];

function report(root: string, { origins, journals, findings, unauthenticated }: Verification): string[] {
  const lost = findings.filter((finding) => !isHarmless(finding)).length;
  const what = lost === 0 ? 'no damage' : lost === 1 ? 'damage in one place' : `damage in ${lost} places`;
  const summary = `${root}: ${what}. Looked at ${count(journals, 'journal')} of ${count(origins, 'origin')}.`;
  const sealed = unauthenticated.length === 0 ? [] : [`${count(unauthenticated.length, 'encrypted origin')} without a key that opens it: checksums and structure were looked at, and nothing was authenticated.`];
  if (findings.length === 0) return [summary, ...sealed];
  const [headings = '', ...rows] = table([HEADINGS, ...findings.map((finding) => cells(root, finding))]);
  return [headings, ...rows.flatMap((row, index) => [row, `  ${findings[index]?.message}`]), '', summary, ...sealed];
}

function count(number: number, what: string): string {
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

function cells(root: string, { kind, origin, path: file, offset, length }: Finding): string[] {
  return [kind, origin ?? '-', path.relative(root, file), String(offset), String(length)];
}
