// The runtimes that the tests run on, with all permissions: those that are installed, or can be.
import { installRuntime, runtimes as tested } from '../test/runtimes/runtimes.mjs';

export const runtimes = tested.filter(({ areas }) => areas === undefined);

/** How a program is started on a runtime. @returns {string[] | { reason: string }} or why it is not here */
export function commandOf(runtime, say) {
  const { command, reason } = installRuntime(runtime, say);
  if (command === undefined) return { reason };
  if (runtime.folder.startsWith('deno')) return [command, 'run', '--quiet', '-A'];
  return runtime.folder.startsWith('node') ? [command, '--no-warnings'] : [command];
}
