import { reportLocks } from '../../disk/survey/lock-report.ts';
import type { Call } from '../call.ts';
import { originOf } from '../context.ts';
import type { Locks } from '../messages.ts';

/** Those that are shown of each. */
const MOST = 5000;

export const locks: Call = {
  run: (context, args): Locks => {
    const report = reportLocks(context.root, originOf(context, args));
    return {
      locks: report.locks.slice(0, MOST).map(({ bucket, kind, name, mode, state, process, thread, life, since, client }) => ({ bucket, kind, name, mode, state, process, thread, life, since, client })),
      sessions: report.sessions.slice(0, MOST).map(({ bucket, process, thread, life, since, standing }) => ({ bucket, process, thread, life: standing === 'present' ? life : standing, since })),
    };
  },
};
