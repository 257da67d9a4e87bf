import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

/** A way to break the locks of databases: in `file`, `from` (which must occur exactly once) becomes `to`. */
interface Mutant {
  readonly what: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const mutants: Mutant[] = [
  {
    what: 'a snapshot does not look for writers',
    file: 'bucket-locks.ts',
    from: "return this.#locks.isWantedElsewhere(lock, 'shared') ? this.#pass(lock) : null;",
    to: 'return this.#locks.isWantedElsewhere(lock, "shared") && lock === "" ? this.#pass(lock) : null;',
  },
  {
    what: 'a snapshot waits for nobody',
    file: 'bucket-locks.ts',
    from: "const turn = this.#locks.request(lock, 'shared');",
    to: "const turn = this.#locks.request(`${lock}!`, 'shared');",
  },
  {
    what: 'writers do not exclude each other',
    file: 'bucket-locks.ts',
    from: "return this.#locks.request(lockName('w', name), 'exclusive');",
    to: "return this.#locks.request(lockName('w', name), 'shared');",
  },
  {
    what: 'the queue lets all in',
    file: 'bucket-locks.ts',
    from: "this.#locks.request(lockName('q', name), 'exclusive',",
    to: "this.#locks.request(lockName('q', name), 'shared',",
  },
  {
    what: 'who has lost the queue may go on',
    file: 'bucket-locks.ts',
    from: 'if (turn.isLost) throw sessionLost();',
    to: 'void turn;',
  },
  {
    what: 'one is blocked before all have answered',
    file: 'solitude.ts',
    from: 'if (this.turn.isHeld || !others.every(({ clientId }) => answered.has(clientId))) return false;',
    to: 'if (this.turn.isHeld || !others.some(({ clientId }) => answered.has(clientId))) return false;',
  },
  {
    what: 'one is blocked before the connections of its own realm have been told',
    file: 'solitude.ts',
    from: 'if (!this.#isToldHere || this.#isBlocked || !this.#isInTheWay()) return;',
    to: 'if (this.#isBlocked || !this.#isInTheWay()) return;',
  },
  {
    what: 'connections of the same realm do not block',
    file: 'solitude.ts',
    from: 'return others.length > 0 || this.#options.othersHere() > 0;',
    to: 'return others.length > 0;',
  },
  {
    what: 'answers are not heard',
    file: 'solitude.ts',
    from: '[this.#lock, answerName(this.#want)].map(',
    to: '[this.#lock].map(',
  },
  {
    what: 'an answer comes before the connections have been told',
    file: 'answers.ts',
    from: '    await this.#tell({ newVersion: want.newVersion });\n',
    to: '    void this.#tell({ newVersion: want.newVersion });\n',
  },
  {
    what: 'an answer stays when the want has gone',
    file: 'answers.ts',
    from: '      this.#given.delete(id);\n      answer?.release();\n',
    to: '      this.#given.delete(id);\n',
  },
  {
    what: 'an answer stays when the connections have gone',
    file: 'answers.ts',
    from: '    for (const answer of this.#given.values()) answer?.release();\n',
    to: '',
  },
  {
    what: 'connections are told again and again',
    file: 'answers.ts',
    from: 'if (!this.#given.has(want.id)) void this.#answer(want);',
    to: 'void this.#answer(want);',
  },
  {
    what: 'what was alone leaves its connection to nobody',
    file: 'presence.ts',
    from: '      if (this.#connections.size > 0) this.#appear();\n',
    to: '',
  },
  {
    what: 'a connection keeps the one from being alone that it belongs to',
    file: 'presence.ts',
    from: 'const isNeeded = this.#solitude === null ? this.#connections.size > 0 : this.#others().length > 0;',
    to: 'const isNeeded = this.#connections.size > 0;',
  },
  {
    what: 'one is alone though other connections of its realm are open',
    file: 'presence.ts',
    from: 'const isNeeded = this.#solitude === null ? this.#connections.size > 0 : this.#others().length > 0;',
    to: 'const isNeeded = this.#solitude === null && this.#connections.size > 0;',
  },
  {
    what: 'the shared claim outlives the last connection',
    file: 'presence.ts',
    from: '    share?.release();\n',
    to: '',
  },
  {
    what: 'connections outlive the session that stood for them',
    file: 'presence.ts',
    from: '      if (this.#share === share) this.#loseAll();\n',
    to: '',
  },
  {
    what: 'a connection that closes while it is told is waited for',
    file: 'connection.ts',
    from: 'await Promise.race([this.#onWanted(wanted), this.#ended]);',
    to: 'await this.#onWanted(wanted);',
  },
  {
    what: 'what is given back is kept',
    file: 'turn.ts',
    from: '    else held.release();\n',
    to: '',
  },
];

const source = fileURLToPath(new URL('../../../src/disk/records/locks', import.meta.url));

async function loadMutant({ what, file, from, to }: Mutant): Promise<(seed: number) => Promise<string | null>> {
  const target = path.join(source, file);
  const outfile = fileURLToPath(new URL(`../../../.cache/mutants/databases-${what.replace(/\W+/g, '-')}-${process.pid}.mjs`, import.meta.url));
  const mutate = async (): Promise<{ contents: string; loader: 'ts' }> => {
    const text = await fs.promises.readFile(target, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`'${from}' does not occur exactly once in ${file}`);
    return { contents: text.replace(from, () => to), loader: 'ts' };
  };
  await build({
    entryPoints: [fileURLToPath(new URL('./simulation.ts', import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'silent',
    plugins: [{ name: 'mutant', setup: (hooks) => hooks.onLoad({ filter: new RegExp(`records/locks/${file}$`) }, mutate) }],
  });
  const module = (await import(pathToFileURL(outfile).href)) as { simulate: (seed: number) => Promise<string | null> };
  fs.rmSync(outfile);
  return module.simulate;
}

describe('the simulation catches locks of databases where', () => {
  it.each(mutants)('$what', async (mutant) => {
    const simulate = await loadMutant(mutant);
    for (let seed = 1; seed <= 600; seed++) if ((await simulate(seed)) !== null) return;
    expect.fail('not caught in 600 schedules');
  });
});
