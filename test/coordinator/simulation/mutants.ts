import type { Mutant } from '../../support/mutant.ts';

const instance = 'coordinator/instance.ts';
const outputs = 'coordinator/output-gate.ts';
const gate = 'coordinator/gate.ts';
const machine = 'disk/coordinator/owned-machine.ts';

/** Ways to break coordinators that a simulated world finds within a hundred seeds; mutants.test.ts has more. */
export const mutants: readonly Mutant[] = [
  { what: 'there is no fence', file: 'disk/coordinator/ownership.ts', from: '    if (session !== this.owner?.session) return false;\n', to: '' },
  { what: 'a result leaves before the turn is written', file: instance, from: '    this.#output(event);\n', to: '    this.#outputs.touch();\n    event.release();\n' },
  { what: 'a deposed instance goes on', file: outputs, from: "    if (settlement === 'deposed') return false;\n    this.#turn.written();\n    return settlement === 'settled' || ", to: "    this.#turn.written();\n    return typeof settlement === 'string' || " },
  { what: 'there is no ledger', file: machine, from: '    for (const each of ended) this.ledger.end(each, each.fate);\n', to: '' },
  { what: 'what has begun is not remembered', file: machine, from: '    for (const id of begun) this.ledger.begin(id);\n', to: '' },
  { what: 'the ledger is not asked', file: instance, from: '    if (fate !== null) return this.#answer(fate, waiter);\n', to: '' },
  { what: 'the gate is open while the storage is awaited', file: gate, from: 'return this.#holds === 0 && ', to: 'return ' },
  { what: 'the gate is open within a section', file: gate, from: 'this.#blocks.length === 0 && !(this.#isSerial', to: '!(this.#isSerial' },
  { what: "'serial' is ignored", file: gate, from: ' && !(this.#isSerial && this.#active > 0)', to: '' },
  { what: 'the index of alarms is late', file: outputs, from: '    if (alarm) this.#owner.announce(alarm);\n', to: '' },
  { what: 'a turn that nobody knows of counts as void', file: instance, from: 'const isVoid = !(error instanceof UnsettledError) || error.isVoid;', to: 'const isVoid = true;' },
  { what: 'the snapshot forgets the calls', file: machine, from: '    for (const caller of this.ledger.records()) yield { kind: CALLER, payload: encodeCaller(caller) };\n', to: '' },
];
