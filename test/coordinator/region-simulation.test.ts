import { describe, expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { someSeeds } from '../support/thorough.ts';
import * as sound from './region-simulation.ts';

/** By hand: `npm run stress -- --coordinators=100000`, or `SEEDS=100000` here; `FIRST_SEED=n SEEDS=1` repeats one. */
const some = someSeeds(2000, 'coordinators of regions', 500);
const SEEDS = Number(process.env['SEEDS'] ?? some.count);
const FIRST = Number(process.env['FIRST_SEED'] ?? some.first);

const core = 'coordinator/regions/region-core.ts';

const mutants: Mutant[] = [
  { what: 'there is no fence', file: core, from: 'return session === this.#machine.owner?.session && sequence > this.#last.sequence;', to: 'return this.#machine.owner !== null && sequence > 0;' },
  { what: 'a claim need not have seen the last entry', file: core, from: ' === this.#machine.epoch && seen >= this.#last.position;', to: ' === this.#machine.epoch && seen >= 0;' },
  { what: 'who claims serves before the claim has come back', file: core, from: "    yield* this.#append(OWN, encodeOwn(this.epoch, address));\n    return this.owns;", to: "    const own = encodeOwn(this.epoch, address);\n    this.#machine.apply({ kind: OWN, session: this.#session, sequence: 1, payload: own });\n    yield* this.#append(OWN, own);\n    return true;" },
  { what: 'reads are not checked', file: core, from: '    yield* this.#catchUp();\n    return this.owns;\n  }\n\n  /** As it is now', to: '    return this.owns;\n  }\n\n  /** As it is now' },
  { what: 'what was sent is acknowledged', file: core, from: '    yield* this.#append(TURN, payload);\n    return this.owns;', to: '    void this.#append(TURN, payload).next();\n    return this.owns;' },
  { what: "the hub's answer is taken for the echo", file: core, from: '      yield want;\n', to: "      if ((yield want).is === 'done' && kind === TURN) return;\n" },
  { what: 'there is no ledger', file: 'disk/coordinator/owned-machine.ts', from: '    for (const each of ended) this.ledger.end(each, each.fate);\n', to: '' },
  { what: 'nobody waits for the end of a lease', file: core, from: "    if (this.#last.lease > 0 && this.#now() < end) yield { do: 'wait', until: end };\n", to: '' },
  { what: 'a lease begins when its entry has come back', file: core, from: 'if (isBack) this.#leasedUntil = sentAt + this.#lease;', to: 'if (isBack) this.#leasedUntil = Math.max(sentAt, this.#now()) + this.#lease;' },
  { what: 'what was appended twice has effect twice', file: core, from: ' && sequence > this.#last.sequence;', to: ' && sequence > 0;' },
  { what: 'an alarm is announced after its turn', file: core, from: "    if (alarm !== null) yield* this.#persistently({ do: 'announce', time: alarm.time, stamp: this.#position + 1 });\n    yield* this.#append(TURN, payload);\n", to: "    yield* this.#append(TURN, payload);\n    if (alarm !== null) yield* this.#persistently({ do: 'announce', time: alarm.time, stamp: this.#position + 1 });\n" },
  { what: 'an alarm is announced once, whatever becomes of that', file: core, from: "yield* this.#persistently({ do: 'announce',", to: "yield ({ do: 'announce'," },
  { what: 'an alarm is announced as of what was read', file: core, from: 'stamp: this.#position + 1 }', to: 'stamp: this.#position }' },
  { what: 'whatever is said late of an alarm counts', file: 'disk/coordinator/alarm-machine.ts', from: 'known.epoch > record.epoch', to: 'known.epoch > Infinity' },
  { what: 'a snapshot forgets the alarm', file: 'disk/coordinator/owned-machine.ts', from: 'encodeState(this) }', to: 'encodeState({ epoch: this.epoch, owner: this.owner, alarm: null }) }' },
  { what: 'a snapshot forgets the calls', file: 'disk/coordinator/owned-machine.ts', from: '    for (const caller of this.ledger.records()) yield { kind: CALLER, payload: encodeCaller(caller) };\n', to: '' },
];

describe('coordinators of regions', () => {
  test('are one counter for all who call them, whatever happens', { timeout: 30_000 + 100 * SEEDS }, () => {
    expect(sound.firstFailure(FIRST, SEEDS)).toBeNull();
  });
});

describe('the simulation catches:', () => {
  test.each(mutants)('$what', { timeout: 120_000 }, async (mutant) => {
    const broken = await loadMutant<typeof sound>(new URL('region-simulation.ts', import.meta.url), mutant);
    expect(broken.firstFailure(1, 2000)).toMatch(/^seed/);
  });
});
