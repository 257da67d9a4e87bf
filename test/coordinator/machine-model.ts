/** A coordinator's journal in the plainest code there is, and what plays it beside the real one; also for mutants. */
import { OwnedMachine } from '../../src/disk/coordinator/owned-machine.ts';
import { encodeOwn, encodeTurn, LEAVE, OWN, TURN } from '../../src/disk/coordinator/owned-records.ts';
import type { Turn } from '../../src/disk/coordinator/owned-records.ts';

/** What a realm does; realms are numbered, and each has a view of its own of how far the journal is. */
export type Step =
  | { readonly do: 'look'; readonly realm: number }
  | { readonly do: 'claim'; readonly realm: number }
  | { readonly do: 'turn'; readonly realm: number; readonly key: string; readonly value: string | null; readonly call: number; readonly ends: boolean; readonly alarm: number | null }
  | { readonly do: 'got'; readonly realm: number; readonly call: number }
  | { readonly do: 'leave'; readonly realm: number }
  /** All go on from a snapshot, as after a compaction. */
  | { readonly do: 'restore' };

interface Plain {
  epoch: number;
  owner: number;
  map: Record<string, string>;
  fates: Record<number, string>;
  got: number;
  alarm: number | null;
}

const CALLER = 77;

/** Sessions of a realm differ for each claim. */
const sessionOf = (realm: number, claims: number): number => 1000 * realm + claims;

/** Both, beside each other. */
class Play {
  readonly differences: string[] = [];
  readonly #plain: Plain = { epoch: 0, owner: 0, map: {}, fates: {}, got: 0, alarm: null };
  #machine = new OwnedMachine();
  readonly #seen = new Map<number, number>();
  readonly #claims = new Map<number, number>();
  #sequence = 0;

  take(step: Step): void {
    if (step.do === 'look') this.#seen.set(step.realm, this.#plain.epoch);
    else if (step.do === 'claim') this.#claim(step.realm);
    else if (step.do === 'turn') this.#turn(step);
    else if (step.do === 'got') this.#got(step.realm, step.call);
    else if (step.do === 'leave') this.#leave(step.realm);
    else this.#restore();
    this.#compare();
  }

  #differ(what: string, real: unknown, expected: unknown): void {
    if (JSON.stringify(real) !== JSON.stringify(expected)) this.differences.push(`${what}: ${JSON.stringify(real)}, not ${JSON.stringify(expected)}`);
  }

  #append(kind: number, realm: number, payload: Uint8Array): boolean {
    return this.#machine.apply({ kind, session: this.#session(realm), sequence: ++this.#sequence, payload: Uint8Array.from(payload) });
  }

  #session(realm: number): number {
    return sessionOf(realm, this.#claims.get(realm) ?? 0);
  }

  #owns(realm: number): boolean {
    return this.#plain.owner !== 0 && this.#plain.owner === this.#session(realm);
  }

  #claim(realm: number): void {
    this.#claims.set(realm, (this.#claims.get(realm) ?? 0) + 1);
    const expected = this.#seen.get(realm) ?? 0;
    const wins = expected === this.#plain.epoch;
    this.#differ('a claim', this.#append(OWN, realm, encodeOwn(expected, `realm${realm}`)), wins);
    if (!wins) return;
    this.#plain.epoch += 1;
    this.#plain.owner = this.#session(realm);
  }

  #turn({ realm, key, value, call, ends, alarm }: Extract<Step, { do: 'turn' }>): void {
    const id = { caller: CALLER, number: call };
    const owns = this.#owns(realm);
    const turn: Turn = {
      steps: [{ key, value }],
      alarm: alarm === null ? undefined : { time: alarm, attempt: 0 },
      got: [],
      begun: ends ? [] : [id],
      ended: ends ? [{ ...id, fate: { kind: 'value', bytes: Uint8Array.of(call) } }] : [],
    };
    this.#differ('a turn', this.#append(TURN, realm, encodeTurn(turn)), owns);
    if (!owns) return;
    const plain = this.#plain;
    if (value === null) delete plain.map[key];
    else plain.map[key] = value;
    if (alarm !== null) plain.alarm = alarm;
    if (call > plain.got && plain.fates[call] !== 'value') plain.fates[call] = ends ? 'value' : 'begun';
  }

  #got(realm: number, call: number): void {
    const owns = this.#owns(realm);
    this.#append(TURN, realm, encodeTurn({ steps: [], alarm: undefined, got: [{ caller: CALLER, number: call }], begun: [], ended: [] }));
    const plain = this.#plain;
    // Of a caller whose calls have changed nothing, nothing is remembered.
    if (owns && (Object.keys(plain.fates).length > 0 || plain.got > 0)) plain.got = Math.max(plain.got, call);
  }

  #leave(realm: number): void {
    this.#append(LEAVE, realm, new Uint8Array(0));
    if (this.#owns(realm)) this.#plain.owner = 0;
  }

  #restore(): void {
    const next = new OwnedMachine();
    next.reset();
    for (const { kind, payload } of this.#machine.snapshot()) next.restore(kind, Uint8Array.from(payload));
    next.restored();
    this.#machine = next;
  }

  #compare(): void {
    const [machine, plain] = [this.#machine, this.#plain];
    this.#differ('the owner', machine.owner?.session ?? 0, plain.owner);
    this.#differ('the epoch', machine.epoch, plain.epoch);
    this.#differ('the map', Object.fromEntries([...machine.map.entries()].sort()), Object.fromEntries(Object.entries(plain.map).sort()));
    this.#differ('the alarm', machine.alarm?.time ?? null, plain.alarm);
    for (let call = 1; call <= 4; call++) {
      const fate = machine.ledger.fate({ caller: CALLER, number: call });
      const real = fate === null || fate === 'got' ? fate : fate.kind;
      this.#differ(`call ${call}`, real, call <= plain.got ? 'got' : (plain.fates[call] ?? null));
    }
  }
}

/** Plays the steps on both, and gives what differs. */
export function play(steps: readonly Step[]): string[] {
  const both = new Play();
  for (const step of steps) both.take(step);
  return both.differences;
}
