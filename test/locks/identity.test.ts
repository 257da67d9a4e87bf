import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { threadIdentity, threadLife, type ThreadIdentity } from '../../src/runtime/identity.ts';

const { readFileSync } = fs;
const { kill } = process;

afterEach(() => {
  fs.readFileSync = readFileSync;
  process.kill = kill;
});

/** The identity of the main thread of another process. */
function identityOf(pid: number): ThreadIdentity {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return { ...threadIdentity(), pid, tid: pid, start: Number(fields[19]) };
}

describe.skipIf(process.platform !== 'linux')('the life of a thread', () => {
  it('is seen of this one', () => {
    expect(threadLife(threadIdentity())).toBe('alive');
  });

  it('is seen of another process, stopped or not, and has ended when it was killed, collected or not', async () => {
    const child = spawn('sleep', ['1000']);
    const identity = identityOf(child.pid ?? 0);
    expect(threadLife(identity)).toBe('alive');
    child.kill('SIGSTOP');
    expect(threadLife(identity)).toBe('alive');
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    // In this turn nobody can collect it: it is a zombie for a while.
    while (threadLife(identity) === 'alive');
    expect(threadLife(identity)).toBe('dead');
    await exited;
    expect(threadLife(identity)).toBe('dead');
  });

  it('has ended where the numbers belong to a thread that started at another time', () => {
    expect(threadLife({ ...threadIdentity(), start: 1 })).toBe('dead');
  });

  it('has ended where the process has no such thread', () => {
    expect(threadLife({ ...threadIdentity(), tid: 2 ** 22 + 1 })).toBe('dead');
  });

  it.each([
    ['of another boot', { boot: 'other' }],
    ['in another PID namespace', { namespace: 'pid:[1]' }],
    ['that could not tell who it is', { boot: '' }],
  ])('is unknown of one %s', (_, other) => {
    expect(threadLife({ ...threadIdentity(), ...other })).toBe('unknown');
  });

  it('is unknown where looking is denied', () => {
    fs.readFileSync = () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    };
    expect(threadLife(threadIdentity())).toBe('unknown');
  });

  it('is unknown where a process is hidden that another user may see', () => {
    const hidden = { ...threadIdentity(), pid: 2 ** 22 + 1, tid: 2 ** 22 + 1 };
    process.kill = () => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    };
    expect(threadLife(hidden)).toBe('unknown');
    process.kill = kill;
    expect(threadLife(hidden)).toBe('dead');
  });
});
