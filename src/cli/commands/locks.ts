import { type Command, parse, requireArguments } from '../command.ts';
import { type LockReport, reportLocks, type SessionReport } from '../../disk/survey/lock-report.ts';
import { printJson, printLines } from '../output.ts';
import { keyOptions } from '../keys-option.ts';
import { bucketOption, encryptedOrigins, jsonOption, openRootWithKey, originOption, readableOrigin, requireOrigin, rootOptions, unlockAll } from '../root.ts';
import { ago, type Cell, table } from '../table.ts';

const options = { ...originOption, ...bucketOption, ...jsonOption, ...keyOptions, ...rootOptions } as const;

export const locks: Command = {
  name: 'locks',
  summary: 'show locks that are held and waited for, and by whom',
  usage: '[--origin ORIGIN [--bucket NAME]] [--json]',
  options,
  notes: ['Age: how long ago a lock was asked for, also where it was granted later; of a session, how long ago it began to use the origin\'s locks.', 'What a process that has ended held is free as soon as somebody wants it.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    requireOrigin(values);
    const root = await openRootWithKey(values);
    const origin = values.origin === undefined ? null : await readableOrigin(values, root);
    if (origin === null) await unlockAll(values, root, encryptedOrigins(root), 'thrown');
    const report = reportLocks(root, origin, values.bucket);
    if (values.json) printJson(report);
    else print(report.sessions, report.locks);
    return 0;
  },
};

function print(sessions: readonly SessionReport[], held: readonly LockReport[]): void {
  if (held.length === 0) console.log('No lock is held or waited for.');
  else printLines(table([['origin', 'bucket', 'kind', 'name', 'mode', 'state', ...WHO], ...held.map((lock) => [lock.origin, lock.bucket, lock.kind, lock.name, lock.mode, lock.state, ...who(lock)])]));
  if (sessions.length === 0) return;
  console.log('\nSessions:');
  printLines(table([['origin', 'bucket', ...WHO], ...sessions.map((session) => [session.origin, session.bucket, ...who(session)])]));
}

const WHO = ['process', 'thread', 'life', 'age'];

function who({ process, thread, life, since, standing }: Pick<SessionReport, 'process' | 'thread' | 'life' | 'since' | 'standing'>): Cell[] {
  return [process, thread, standing === 'present' ? life : standing, since === null ? '-' : ago(since)];
}
