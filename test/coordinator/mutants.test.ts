import { describe, expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import * as sound from './scenarios.ts';

const instance = 'coordinator/instance.ts';
const outputs = 'coordinator/output-gate.ts';
const gate = 'coordinator/gate.ts';

const mutants: (Mutant & { readonly caughtBy: string })[] = [
  {
    what: 'a result leaves before the turn is written',
    file: instance,
    from: '    this.#output(event);\n',
    to: '    this.#outputs.touch();\n    event.release();\n',
    caughtBy: 'a write that is acknowledged is there',
  },
  { what: 'a deposed instance goes on', file: outputs, from: "    if (settlement === 'deposed') return false;\n    this.#turn.written();\n    return settlement === 'settled' || ", to: "    this.#turn.written();\n    return typeof settlement === 'string' || ", caughtBy: 'a write that is acknowledged is there' },
  { what: 'reads are not checked', file: outputs, from: 'return this.#store.check();', to: 'return true;', caughtBy: 'a read sees what was acknowledged elsewhere' },
  { what: 'the ledger is not asked', file: instance, from: '    if (fate !== null) return this.#answer(fate, waiter);\n', to: '', caughtBy: 'a call whose result was lost has run once' },
  { what: 'what has ended is not told to the ledger', file: 'coordinator/turn.ts', from: '      else ended.push({ caller: call.caller, number: call.number, fate });\n', to: '', caughtBy: 'a call whose result was lost has run once' },
  { what: 'what runs is forgotten', file: instance, from: '    if (known !== undefined) return known.join(waiter);\n', to: '', caughtBy: 'a call that comes again while it runs has run once' },
  { what: 'what was begun may run again', file: instance, from: '    if (fate !== null) return', to: "    if (fate !== null && (fate === 'got' || fate.kind !== 'begun')) return", caughtBy: 'a call that was interrupted is not run again' },
  { what: 'the end of a call is told of the turn only in which it has written', file: instance, from: 'if (event.begun || event.call', to: 'if (event.call', caughtBy: 'a call that has ended without a change is known to have ended' },
  { what: 'what was sent before is remembered only if it changes something', file: instance, from: ' || event.call?.isAgain === true', to: '', caughtBy: 'a call that was sent before is known to have ended, though it changed nothing' },
  { what: 'the gate is open while the storage is awaited', file: gate, from: 'return this.#holds === 0 && ', to: 'return ', caughtBy: 'no call begins while a file is awaited' },
  { what: 'the gate is open within a section', file: gate, from: 'this.#blocks.length === 0 && !(this.#isSerial', to: '!(this.#isSerial', caughtBy: 'no call begins within a section' },
  { what: "'serial' is ignored", file: gate, from: ' && !(this.#isSerial && this.#active > 0)', to: '', caughtBy: 'no call begins before the one before has ended, where it is serial' },
  { what: 'the index of alarms is late', file: outputs, from: '    if (alarm) this.#owner.announce(alarm);\n', to: '', caughtBy: 'an alarm is known before the turn that sets it' },
];

describe('coordinators promise:', () => {
  test.each(Object.entries(sound.scenarios))('%s', async (name, { expected }) => {
    expect(await sound.see(name)).toEqual(expected);
  });
});

describe('a coordinator with a defect is caught:', () => {
  test.each(mutants)('$what', async ({ caughtBy, ...mutant }) => {
    const broken = await loadMutant<typeof sound>(new URL('scenarios.ts', import.meta.url), mutant);
    const seen = await broken.see(caughtBy, 5000).catch((error: unknown) => String(error));
    expect(Object.keys(sound.scenarios)).toContain(caughtBy);
    expect(seen).not.toEqual(sound.scenarios[caughtBy]?.expected);
  });
});
