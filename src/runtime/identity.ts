import fs from 'node:fs';
import { isShortage, withDescriptor } from './descriptors.ts';
import { errorCode, errorMessage } from './errors.ts';
import { HoldfastError } from './holdfast-error.ts';
import { wallClock } from './timers.ts';

/**
 * Which thread a realm runs on, as far as this runtime lets it know. Where `boot` is empty, nobody can prove that
 * the thread is dead.
 */
export interface ThreadIdentity {
  readonly boot: string;
  /** The PID namespace in which `pid` and `tid` are numbers. */
  readonly namespace: string;
  readonly pid: number;
  /** On Linux the kernel's thread id; elsewhere 0 for the main thread, which lives as long as its process. */
  readonly tid: number;
  /** On Linux when the thread started, in clock ticks; elsewhere when the machine did, in seconds since 1970. */
  readonly start: number;
}

/** `unknown`: the thread is out of sight from here, or this runtime may not look. */
export type ThreadLife = 'alive' | 'dead' | 'unknown';

/** The machine's start is computed from its clock, which may be set meanwhile. */
const START_TOLERANCE_SECONDS = 60;

let own: ThreadIdentity | undefined;

/**
 * The identity of the thread that calls.
 *
 * @throws HoldfastError `disk-failed` where there are not the descriptors to find it out
 */
export function threadIdentity(): ThreadIdentity {
  own ??= identify();
  return own;
}

/** Whether the thread still runs. Never throws; a probe that is denied proves nothing. */
export function threadLife(identity: ThreadIdentity): ThreadLife {
  if (identity.boot === '') return 'unknown';
  let here: ThreadIdentity;
  try {
    here = threadIdentity();
  } catch {
    return 'unknown';
  }
  if (identity.boot !== here.boot || identity.namespace !== here.namespace) return 'unknown';
  return process.platform === 'linux' ? lifeInProc(identity) : lifeBySignal(identity, here);
}

function identify(): ThreadIdentity {
  try {
    const identity = process.platform === 'linux' ? identifyInProc() : identifyByPid();
    if (identity !== null) return identity;
  } catch (error) {
    // One that was made up for want of descriptors would be kept.
    if (isShortage(error)) throw new HoldfastError('disk-failed', `This thread cannot be identified: ${errorMessage(error)}`, { cause: error });
    // The runtime or the system denies it.
  }
  return { boot: '', namespace: '', pid: process.pid, tid: 0, start: 0 };
}

function identifyInProc(): ThreadIdentity | null {
  const [pid, , tid] = fs.readlinkSync('/proc/thread-self').split('/').map(Number);
  // Where /proc shows another PID namespace than ours, its numbers are not the ones that others know us by.
  if (pid !== process.pid || tid === undefined) return null;
  const boot = withDescriptor(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  const namespace = fs.readlinkSync('/proc/self/ns/pid');
  const start = readTask(`${pid}/task/${tid}`)?.start;
  return start === undefined ? null : { boot, namespace, pid, tid, start };
}

function identifyByPid(): ThreadIdentity {
  const os = process.getBuiltinModule('node:os');
  const { isMainThread, threadId } = process.getBuiltinModule('node:worker_threads');
  const start = Math.round(wallClock() / 1000 - os.uptime());
  return { boot: os.hostname(), namespace: '-', pid: process.pid, tid: isMainThread ? 0 : threadId, start };
}

function lifeInProc({ pid, tid, start }: ThreadIdentity): ThreadLife {
  try {
    const thread = readTask(`${pid}/task/${tid}`);
    if (thread !== null && thread.start === start && !hasExited(thread)) return 'alive';
    return thread === null || thread.start === start ? lifeOfProcess(pid) : 'dead';
  } catch {
    return 'unknown';
  }
}

/**
 * Of a thread that has ended, unless its process is about to end: then other threads may be inside system calls for
 * it, and it counts as alive until the last of them is out.
 */
function lifeOfProcess(pid: number): ThreadLife {
  const leader = readTask(`${pid}`);
  if (leader === null) return lifeBeyondProc(pid);
  if (!hasExited(leader)) return 'dead';
  const running = withDescriptor(() => fs.readdirSync(`/proc/${pid}/task`)).some((tid) => {
    const thread = readTask(`${pid}/task/${tid}`);
    return thread !== null && !hasExited(thread);
  });
  return running ? 'alive' : 'dead';
}

/** A process may be missing from /proc because this user is not shown it (`hidepid`). */
function lifeBeyondProc(pid: number): ThreadLife {
  return signalReaches(pid) === 'nobody' ? 'dead' : 'unknown';
}

function lifeBySignal({ pid, tid, start }: ThreadIdentity, here: ThreadIdentity): ThreadLife {
  if (Math.abs(start - here.start) > START_TOLERANCE_SECONDS) return 'unknown';
  const reached = signalReaches(pid);
  if (reached === 'nobody') return 'dead';
  return reached === 'somebody' && tid === 0 ? 'alive' : 'unknown';
}

function signalReaches(pid: number): 'somebody' | 'nobody' | 'denied' {
  try {
    process.kill(pid, 0);
    return 'somebody';
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ESRCH') return 'nobody';
    return code === 'EPERM' ? 'somebody' : 'denied';
  }
}

interface Task {
  readonly state: string;
  readonly start: number;
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; null where there is no such task. */
function readTask(path: string): Task | null {
  try {
    const text = withDescriptor(() => fs.readFileSync(`/proc/${path}/stat`, 'latin1'));
    // The name before it is in parentheses and may hold spaces and parentheses itself.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', start: Number(fields[19]) };
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(errorCode(error))) return null;
    throw error;
  }
}

/** Ended, and only not collected yet by its parent. */
function hasExited({ state }: Task): boolean {
  return state === 'Z' || state === 'X';
}
