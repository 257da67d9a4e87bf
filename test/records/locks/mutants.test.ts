import { describe, expect, it } from 'vitest';
import { loadMutant, type Mutant } from '../../support/mutant.ts';
import type * as Simulation from './simulation.ts';

const mutants: Mutant[] = [
  {
    what: 'a snapshot does not look for writers',
    file: 'disk/records/locks/bucket-locks.ts',
    from: "return this.#locks.isWantedElsewhere(lock, 'shared') ? this.#pass(lock) : null;",
    to: 'return this.#locks.isWantedElsewhere(lock, "shared") && lock === "" ? this.#pass(lock) : null;',
  },
  {
    what: 'a snapshot waits for nobody',
    file: 'disk/records/locks/bucket-locks.ts',
    from: "const turn = this.#locks.request(lock, 'shared');",
    to: "const turn = this.#locks.request(`${lock}!`, 'shared');",
  },
  {
    what: 'writers do not exclude each other',
    file: 'disk/records/locks/bucket-locks.ts',
    from: "return this.#locks.request(lockName('w', name), 'exclusive');",
    to: "return this.#locks.request(lockName('w', name), 'shared');",
  },
  {
    what: 'the queue lets all in',
    file: 'disk/records/locks/bucket-locks.ts',
    from: "this.#locks.request(lockName('q', name), 'exclusive',",
    to: "this.#locks.request(lockName('q', name), 'shared',",
  },
  {
    what: 'who has lost the queue may go on',
    file: 'disk/records/locks/bucket-locks.ts',
    from: 'if (turn.isLost) throw sessionLost();',
    to: 'void turn;',
  },
  {
    what: 'one is blocked before all have answered',
    file: 'disk/records/locks/solitude.ts',
    from: 'if (this.turn.isHeld || !others.every(({ clientId }) => answered.has(clientId))) return false;',
    to: 'if (this.turn.isHeld || !others.some(({ clientId }) => answered.has(clientId))) return false;',
  },
  {
    what: 'one is blocked before the connections of its own realm have been told',
    file: 'disk/records/locks/solitude.ts',
    from: 'if (!this.#isToldHere || this.#isBlocked || !this.#isInTheWay()) return;',
    to: 'if (this.#isBlocked || !this.#isInTheWay()) return;',
  },
  {
    what: 'connections of the same realm do not block',
    file: 'disk/records/locks/solitude.ts',
    from: 'return others.length > 0 || this.#options.othersHere() > 0;',
    to: 'return others.length > 0;',
  },
  {
    what: 'answers are not heard',
    file: 'disk/records/locks/solitude.ts',
    from: '[this.#lock, answerName(this.#want)].map(',
    to: '[this.#lock].map(',
  },
  {
    what: 'an answer comes before the connections have been told',
    file: 'disk/records/locks/answers.ts',
    from: '    await this.#tell({ newVersion: want.newVersion });\n',
    to: '    void this.#tell({ newVersion: want.newVersion });\n',
  },
  {
    what: 'an answer stays when the want has gone',
    file: 'disk/records/locks/answers.ts',
    from: '      this.#given.delete(id);\n      answer?.release();\n',
    to: '      this.#given.delete(id);\n',
  },
  {
    what: 'an answer stays when the connections have gone',
    file: 'disk/records/locks/answers.ts',
    from: '    for (const answer of this.#given.values()) answer?.release();\n',
    to: '',
  },
  {
    what: 'connections are told again and again',
    file: 'disk/records/locks/answers.ts',
    from: 'if (!this.#given.has(want.id)) void this.#answer(want);',
    to: 'void this.#answer(want);',
  },
  {
    what: 'what was alone leaves its connection to nobody',
    file: 'disk/records/locks/presence.ts',
    from: '      if (this.#connections.size > 0) this.#appear();\n',
    to: '',
  },
  {
    what: 'a connection keeps the one from being alone that it belongs to',
    file: 'disk/records/locks/presence.ts',
    from: 'const isNeeded = this.#solitude === null ? this.#connections.size > 0 : this.#others().length > 0;',
    to: 'const isNeeded = this.#connections.size > 0;',
  },
  {
    what: 'one is alone though other connections of its realm are open',
    file: 'disk/records/locks/presence.ts',
    from: 'const isNeeded = this.#solitude === null ? this.#connections.size > 0 : this.#others().length > 0;',
    to: 'const isNeeded = this.#solitude === null && this.#connections.size > 0;',
  },
  {
    what: 'the shared claim outlives the last connection',
    file: 'disk/records/locks/presence.ts',
    from: '    share?.release();\n',
    to: '',
  },
  {
    what: 'connections outlive the session that stood for them',
    file: 'disk/records/locks/presence.ts',
    from: '      if (this.#share === share) this.#loseAll();\n',
    to: '',
  },
  {
    what: 'a connection that closes while it is told is waited for',
    file: 'disk/records/locks/connection.ts',
    from: 'await Promise.race([this.#onWanted(wanted), this.#ended]);',
    to: 'await this.#onWanted(wanted);',
  },
  {
    what: 'what is given back is kept',
    file: 'disk/records/locks/turn.ts',
    from: '    else held.release();\n',
    to: '',
  },
];

describe('the simulation catches locks of databases where', () => {
  it.each(mutants)('$what', async (mutant) => {
    const { simulate } = await loadMutant<typeof Simulation>(new URL('simulation.ts', import.meta.url), mutant);
    for (let seed = 1; seed <= 600; seed++) if ((await simulate(seed)) !== null) return;
    expect.fail('not caught in 600 schedules');
  });
});
