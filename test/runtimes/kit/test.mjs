// The smallest test runner that works alike on all runtimes: tests are registered, then run one after another.
import process from 'node:process';
import { closeParent, request } from './parent.mjs';

const tests = [];

export function test(name, body) {
  if (tests.length === 0) setTimeout(run);
  tests.push({ name, body });
}

async function run() {
  for (const { name, body } of tests) request('test', { name, error: await errorOf(body) });
  request('done', {});
  closeParent();
}

async function errorOf(body) {
  try {
    await body();
  } catch (error) {
    return error instanceof Error ? `${error.stack ?? error.message}${error.cause === undefined ? '' : `\ncause: ${error.cause}`}` : `threw ${String(error)}`;
  }
}

/** Asks again and again until the answer is truthy. The time bounds a failure only. */
export async function until(condition, what, limitMs = 60_000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`it never came to be that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

process.on('unhandledRejection', (error) => {
  request('test', { name: 'nothing is rejected unnoticed', error: error?.stack ?? String(error) });
});
