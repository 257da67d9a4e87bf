import { rmSync } from 'node:fs';
import { lastLine, run } from './run.ts';
import { commit, folders, repository } from './upstream.ts';

const reachable = 10_000;
const whole = 15 * 60_000;

/** A sparse clone of upstream at the pinned commit. The result says in one line why there is none; null when there is. */
export async function cloneInto(folder: string): Promise<string | null> {
  // Never a prompt, and a dead host is noticed soon: most machines without a way out just drop the packets.
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'true' };
  const git = (args: readonly string[], timeout: number): ReturnType<typeof run> => run('git', args, { env, timeout });
  const answer = await git(['ls-remote', '--exit-code', repository, 'HEAD'], reachable);
  if (answer.code !== 0) return lastLine(answer.stderr) || `no answer within ${reachable / 1000} s`;
  const steps = [
    ['init', '--quiet', folder],
    ['-C', folder, 'sparse-checkout', 'set', ...folders],
    ['-C', folder, 'fetch', '--quiet', '--depth', '1', '--filter=blob:none', repository, commit],
    ['-C', folder, 'checkout', '--quiet', 'FETCH_HEAD'],
  ];
  for (const step of steps) {
    const { code, stderr } = await git(step, whole);
    if (code === 0) continue;
    rmSync(folder, { recursive: true, force: true });
    return lastLine(stderr) || `git ${step.find((word) => !word.startsWith('-')) ?? ''} did not end in time`;
  }
  return null;
}
