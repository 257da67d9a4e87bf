import { isDeepStrictEqual } from 'node:util';
import { kinds, encodeFinish, encodeId, encodeLocator, encodeLock, encodeOperate, encodeRequest, encodeText, encodeVerdicts } from '../../src/disk/locks/records.ts';
import type { Verdict } from '../../src/disk/locks/records.ts';
import type { Claim } from '../../src/disk/locks/claims.ts';
import type { Holding } from '../../src/disk/locks/holding.ts';
import type { FileChange, Intent, LockClass, WebLockInfo } from '../../src/disk/locks/lock-table.ts';
import { Participant } from '../../src/disk/locks/participant.ts';
import type { Locator } from '../../src/disk/locator.ts';
import { MemoryLog, SharedLog } from './memory-log.ts';
import { Random } from '../support/random.ts';
import { ReferenceTable, type ReferenceClaim } from './reference-table.ts';

const locators: Locator[] = [[], ['a'], ['b'], ['a', 'b'], ['a', 'c'], ['a', 'b', 'c'], ['a', 'b', 'd']];
const files = locators.slice(1);
const lockClasses: LockClass[] = ['exclusive', 'read-only', 'readwrite-unsafe', 'readwrite-unsafe', 'siloed'];
const names = ['x', 'y'];
const clients = ['c1', 'c2'];

class Violation extends Error {}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Violation(what);
}

interface Own {
  readonly holding: Holding;
  readonly type: ReferenceClaim['what']['type'];
  readonly session: number;
  readonly clientId: string | null;
}

/** A realm: a participant, what it was told, and what it must have been told. */
class Realm {
  readonly participant: Participant;
  readonly woken = new Set<string>();
  own: Own[] = [];
  seen: FileChange[] = [];
  gaps = 0;
  /** How many changes it knows of, or knows that it missed. */
  told = 0;
  /** Gone without a word; others have to find out. */
  dead = false;

  constructor(log: SharedLog) {
    const identity = { boot: 'b', namespace: 'n', pid: 1, tid: 1, start: 1 };
    this.participant = new Participant({ path: '', ensure: () => {} }, identity, (machine) => new MemoryLog(log, machine), {
      changed: (change) => this.seen.push(change),
      gap: () => this.gaps++,
      wake: (folders) => folders.forEach((folder) => this.woken.add(folder)),
      stirred: () => {},
      replaced: () => 0, queued: () => {},
    });
    this.participant.look();
    this.participant.wantsChanges = true;
  }
}

/**
 * Runs one schedule of several realms on one lock table, in which everything that can happen does: operations of all
 * kinds, deaths, expiries of sessions that go on, compactions, realms that do not look for long. After every record the
 * machine of whoever wrote it is compared with the reference; whoever looks must then know what the reference knows.
 *
 * @returns what went wrong, or null.
 */
export function simulate(seed: number, steps = 120): string | null {
  const simulation = new Simulation(seed);
  try {
    for (let step = 0; step < steps; step++) simulation.step();
    simulation.finish();
    return null;
  } catch (error) {
    return error instanceof Error ? `${error.message}${error instanceof Violation ? '' : ` ${error.stack ?? ''}`}` : String(error);
  }
}

class Simulation {
  readonly #random: Random;
  readonly #log = new SharedLog();
  readonly #reference = new ReferenceTable();
  #realms: Realm[] = [];
  /** Folders that must have been woken by the current action. */
  #mustWake = new Set<string>();
  #acting = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#log.onAppend = (record) => {
      this.#reference.apply(record);
      for (const { session } of this.#reference.touched) {
        const folder = this.#folders.get(session);
        if (session !== this.#acting && session !== record.session && folder !== undefined) this.#mustWake.add(folder);
      }
      for (const [id, { folder }] of this.#reference.sessions) this.#folders.set(id, folder);
    };
    for (let index = 0; index < 4; index++) this.#addRealm();
  }

  readonly #folders = new Map<number, string>();

  step(): void {
    const realm = this.#random.pickIfAny(this.#realms.filter((each) => !each.dead));
    if (realm === undefined) return this.#addRealm();
    this.#lookInPart();
    realm.woken.clear();
    this.#mustWake.clear();
    this.#acting = realm.participant.session;
    this.#act(realm);
    for (const folder of this.#mustWake) {
      if (folder !== realm.participant.folder) check(realm.woken.has(folder), 'a session was not woken');
    }
    this.#compareMachine(realm);
  }

  /** Some realm begins to read, or goes on, and may not come to the end of it before it does something. */
  #lookInPart(): void {
    if (this.#random.chance(0.3)) this.#random.pickIfAny(this.#realms.filter((each) => !each.dead))?.participant.lookSome();
  }

  /** Everything is released in the end, and nothing may be left. */
  finish(): void {
    for (const realm of this.#realms) {
      if (realm.dead) continue;
      realm.participant.look();
      this.#compareHoldings(realm);
    }
    const [first, ...others] = this.#realms.filter((each) => !each.dead);
    if (first === undefined) return;
    for (const { holding } of first.own) first.participant.bodyEnded(holding);
    for (const { holding } of first.own) first.participant.end(holding, kinds.release, () => encodeId(holding.id));
    first.own = [];
    for (const realm of others) realm.participant.close();
    this.#buryTheDead(first);
    for (const id of [...this.#reference.sessions.keys()]) if (id !== first.participant.session) this.#fence(first, id);
    this.#compareMachine(first);
    check(this.#reference.claims.length === 0, 'claims are left when all have gone');
  }

  #act(realm: Realm): void {
    const roll = this.#random.below(100);
    if (roll < 18) this.#operate(realm);
    else if (roll < 30) this.#lock(realm);
    else if (roll < 46) this.#request(realm);
    else if (roll < 74) this.#endSome(realm);
    else if (roll < 80) this.#look(realm);
    else if (roll < 83) this.#compact(realm);
    else if (roll < 85) this.#attempt(() => realm.participant.tell(kinds.changed, () => encodeLocator(['a'])));
    else if (roll < 88) this.#endClient(realm);
    else if (roll < 90) this.#leave(realm);
    else if (roll < 92) realm.dead = this.#realms.filter((each) => !each.dead).length > 1;
    else if (roll < 95) this.#buryTheDead(realm);
    else if (roll < 97) this.#expireAnother(realm);
    else if (roll < 99) this.#fenceExpired(realm);
    else this.#addRealm();
  }

  #addRealm(): void {
    if (this.#realms.length > 8) return;
    const realm = new Realm(this.#log);
    realm.told = this.#reference.changes.length;
    this.#realms.push(realm);
  }

  #compact(realm: Realm): void {
    this.#look(realm);
    this.#log.compact(realm.participant.machine);
    // Somebody who knows nothing but the snapshot.
    if (this.#random.chance(0.5)) this.#addRealm();
  }

  #look(realm: Realm): void {
    realm.participant.look();
    this.#compareHoldings(realm);
  }

  #claim(realm: Realm, type: Own['type'], kind: number, encode: () => Uint8Array, clientId: string | null = null): void {
    if (realm.own.length > 8) return;
    const holding = this.#attempt(() => realm.participant.claim(kind, encode));
    if (holding === null) return;
    check(!realm.own.some(({ holding: other }) => other.running && other.state === 'lost'), 'a realm goes on beside what has lost its claim');
    const claim = this.#reference.last;
    check(claim !== null, 'a claim was made that the reference does not know');
    check(claim?.state === holding.state, `a new claim is ${holding.state} instead of ${claim?.state}`);
    if (type === 'operation') holding.running = holding.state === 'held';
    if (holding.state !== 'refused') realm.own.push({ holding, type, session: realm.participant.session, clientId });
  }

  /** What is tried while something runs on that lost what it held is refused. */
  #attempt<T>(body: () => T): T | null {
    try {
      return body();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'session-lost') return null;
      throw error;
    }
  }

  #operate(realm: Realm): void {
    const locks = realm.own.filter(({ type, holding }) => type === 'lock' && holding.state === 'held');
    const own = this.#random.chance(0.4) ? (this.#random.pickIfAny(locks)?.holding.id ?? 0) : 0;
    const intent = this.#intent();
    this.#claim(realm, 'operation', kinds.operate, () => encodeOperate({ intent, own }));
  }

  #intent(): Intent {
    const operation = this.#random.pick(['create', 'remove', 'move', 'modify', 'empty', 'hold'] as const);
    const kind = operation === 'modify' ? 'file' : this.#random.pick(['file', 'directory'] as const);
    const source = this.#random.pick(files);
    if (operation === 'empty' || operation === 'hold') return { operation, kind: 'directory', source: [] };
    return operation === 'move' ? { operation, kind, source, target: this.#random.pick(files) } : { operation, kind, source };
  }

  #lock(realm: Realm): void {
    const fields = { locator: this.#random.pick(files), lockClass: this.#random.pick(lockClasses) };
    this.#claim(realm, 'lock', kinds.lock, () => encodeLock(fields));
  }

  #request(realm: Realm): void {
    const roll = this.#random.next();
    const clientId = this.#random.pick(clients);
    const request = {
      name: this.#random.pick(names),
      mode: roll < 0.15 || this.#random.chance(0.5) ? ('exclusive' as const) : ('shared' as const),
      clientId,
      steal: roll < 0.15,
      ifAvailable: roll > 0.8,
    };
    this.#claim(realm, 'web', kinds.request, () => encodeRequest(request), clientId);
  }

  #endSome(realm: Realm): void {
    const own = this.#random.pickIfAny(realm.own);
    if (own === undefined) return;
    const { holding, type } = own;
    if (type === 'operation') {
      // Whoever does not wait for its turn has no body that could end.
      if (holding.state === 'waiting') return;
      const changed = this.#random.chance(0.7);
      holding.running = false;
      realm.participant.bodyEnded(holding);
      this.#end(realm, own, kinds.finish, () => encodeFinish(holding.id, changed));
    } else if (type === 'web' && holding.state === 'waiting') {
      this.#withdraw(realm, own);
    } else if (holding.state !== 'waiting') {
      this.#end(realm, own, kinds.release, () => encodeId(holding.id));
    }
  }

  #end(realm: Realm, own: Own, kind: number, encode: () => Uint8Array): void {
    const { holding, session } = own;
    const before = this.#stateNow(session, holding.id);
    const ended = realm.participant.end(holding, kind, encode);
    check(ended === (before === 'held'), `ending a claim that was ${before} says ${ended}`);
    realm.own.splice(realm.own.indexOf(own), 1);
  }

  #withdraw(realm: Realm, own: Own): void {
    const before = this.#stateNow(own.session, own.holding.id);
    const withdrawn = realm.participant.withdraw(own.holding);
    check(withdrawn === (before === 'waiting'), `withdrawing a claim that was ${before} says ${withdrawn}`);
    if (withdrawn) realm.own.splice(realm.own.indexOf(own), 1);
  }

  #stateNow(session: number, id: number): ReferenceClaim['state'] | 'gone' {
    if (this.#reference.sessions.get(session)?.standing !== 'present') return 'gone';
    return this.#reference.claims.find((claim) => claim.session === session && claim.id === id)?.state ?? 'gone';
  }

  #endClient(realm: Realm): void {
    if (realm.participant.session === 0) return;
    const client = this.#random.pick(clients);
    const before = realm.participant.session;
    if (this.#attempt(() => realm.participant.tell(kinds.endClient, () => encodeText(client))) === null) return;
    if (realm.participant.session === before) realm.own = realm.own.filter(({ clientId }) => clientId !== client);
  }

  #leave(realm: Realm): void {
    realm.participant.close();
    this.#realms.splice(this.#realms.indexOf(realm), 1);
    this.#addRealm();
    const other = this.#realms.find((each) => !each.dead);
    // Its machine stays behind; what counts is what the others see.
    if (other !== undefined) this.#compareMachine(other);
  }

  #buryTheDead(realm: Realm): void {
    for (const body of this.#realms.filter((each) => each.dead)) {
      const { session } = body.participant;
      this.#realms.splice(this.#realms.indexOf(body), 1);
      if (session !== 0) this.#attempt(() => realm.participant.tell(kinds.dead, () => encodeVerdicts(session, this.#verdicts(session))));
      if (this.#reference.sessions.get(session)?.standing === 'present') this.#realms.push(body);
    }
  }

  #verdicts(session: number): Verdict[] {
    const running = this.#reference.claims.filter((claim) => claim.session === session && claim.what.type === 'operation');
    return running.filter((claim) => claim.state === 'held').map(({ id }) => [id, this.#random.chance(0.5)]);
  }

  #expireAnother(realm: Realm): void {
    const others = [...this.#reference.sessions.keys()].filter((id) => id !== realm.participant.session);
    const id = this.#random.pickIfAny(others);
    if (id === undefined) return;
    this.#attempt(() => realm.participant.tell(kinds.expire, () => encodeId(id)));
    if (this.#random.chance(0.3)) this.#compact(realm);
  }

  #fenceExpired(realm: Realm): void {
    for (const [id, { standing }] of [...this.#reference.sessions]) {
      if (standing === 'expired' && id !== realm.participant.session) this.#tellFenced(realm, id);
    }
  }

  #tellFenced(realm: Realm, id: number): void {
    this.#attempt(() => realm.participant.tell(kinds.fenced, () => encodeVerdicts(id, this.#verdicts(id))));
  }

  #fence(realm: Realm, id: number): void {
    for (let round = 0; round < 2 && this.#reference.sessions.has(id); round++) {
      realm.participant.tell(kinds.expire, () => encodeId(id));
      this.#tellFenced(realm, id);
    }
  }

  /** What one machine says of every claim is what the reference says. */
  #compareMachine(realm: Realm): void {
    if (!this.#realms.includes(realm)) return;
    realm.participant.look();
    const { machine } = realm.participant;
    check(machine.epoch === this.#reference.epoch, 'the epochs differ');
    const known = [...machine.sessions.values()];
    check(known.length === this.#reference.sessions.size, 'the sessions differ');
    for (const { id, standing, claims } of known) {
      check(this.#reference.sessions.get(id)?.standing === standing, `a session is ${standing}`);
      const expected = this.#reference.claims.filter((claim) => claim.session === id);
      check(claims.size === expected.length, `a session has ${claims.size} claims instead of ${expected.length}`);
      for (const claim of expected) {
        const state = claims.get(claim.id)?.state;
        check(state === claim.state, `a claim of type ${claim.what.type} is ${state} instead of ${claim.state}`);
      }
    }
    const { held, pending } = machine.query();
    const web = this.#reference.claims.flatMap(({ what, state }) => (what.type === 'web' ? [{ ...what, state }] : []));
    const waiting = web.filter(({ state }) => state === 'waiting').map(infoOf);
    check(isDeepStrictEqual(pending.map(infoOf), waiting), 'the pending requests or their order differ');
    check(held.length === web.length - waiting.length, 'the held web locks differ');
    this.#compareAhead(realm);
    this.#compareHoldings(realm);
  }

  /** Those who are looked after while it waits are those before any of its claims, found by looking at each. */
  #compareAhead({ participant }: Realm): void {
    const own = participant.machine.sessions.get(participant.session);
    if (own?.standing !== 'present') return;
    const expected = new Set([...own.claims.values()].flatMap((claim) => this.#sessionsBefore(claim)));
    expected.delete(own.id);
    const found = Array.from(participant.sessionsAhead(), ({ id }) => id);
    check(isDeepStrictEqual(new Set(found), expected), 'a session that stands before a claim is not looked after');
  }

  #sessionsBefore(claim: Claim): number[] {
    if (claim.state !== 'waiting') return [];
    if (claim.type !== 'web') return Array.from(claim.waitsFor ?? [], ({ session }) => session.id);
    const ofName = this.#reference.claims.filter(({ what }) => what.type === 'web' && what.name === claim.name);
    const waiting = ofName.filter(({ state }) => state === 'waiting');
    const place = waiting.findIndex(({ session, id }) => session === claim.session.id && id === claim.id);
    const before = place === 0 ? ofName.filter(({ state }) => state === 'held') : waiting.slice(place - 1, place);
    return before.map(({ session }) => session);
  }

  /** What a realm that has looked believes of its own claims, and was told of changes, is what the reference says. */
  #compareHoldings(realm: Realm): void {
    for (const { holding, session, type } of realm.own) {
      const state = this.#stateNow(session, holding.id);
      const believed = holding.state === 'lost' || holding.state === 'refused' ? 'gone' : holding.state;
      check(believed === state, `a realm believes a claim of type ${type} to be ${believed} that is ${state}`);
      if (type === 'operation' && holding.state === 'held') holding.running = true;
    }
    realm.own = realm.own.filter(({ holding }) => holding.state !== 'refused' && (holding.running || holding.state !== 'lost'));
    this.#compareChanges(realm);
  }

  #compareChanges(realm: Realm): void {
    if (realm.gaps > 0) {
      realm.gaps = 0;
      realm.told = this.#reference.changes.length;
    } else {
      for (const change of realm.seen) {
        const expected = this.#reference.changes[realm.told++];
        check(isDeepStrictEqual(change, expected), 'a realm was told of a change that was not the next one');
      }
      check(realm.told === this.#reference.changes.length, 'a realm was not told of a change');
    }
    realm.seen = [];
  }
}

function infoOf({ name, mode, clientId }: WebLockInfo): WebLockInfo {
  return { name, mode, clientId };
}
