import { nextTurn } from '../../../src/runtime/timers.ts';
import type { Claim, Wanted } from '../../../src/disk/records/database-locks.ts';
import { BucketLocks } from '../../../src/disk/records/locks/bucket-locks.ts';
import type { LockListener } from '../../../src/disk/locks/lock-listener.ts';
import { LockMachine } from '../../../src/disk/locks/machine.ts';
import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import { MemoryLog, SharedLog } from '../../locks/memory-log.ts';
import { Random } from '../../support/random.ts';

class Violation extends Error {}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Violation(what);
}

const nothing = (): void => {};
const listener: LockListener = { settled: nothing, lost: nothing, left: nothing, ended: nothing, webStirred: nothing, changed: nothing, gap: nothing, restored: nothing };

/** The log of a realm that can be killed. */
class MortalLog extends MemoryLog {
  isDead = false;

  override catchUp(): void {
    if (!this.isDead) super.catchUp();
  }

  override append(...record: Parameters<MemoryLog['append']>): ReturnType<MemoryLog['append']> {
    if (this.isDead) throw new Error('written by the dead');
    return super.append(...record);
  }
}

/** What a realm would do some time by itself is not done: the schedule alone decides who looks when. */
function withoutTimers<T>(body: () => T): T {
  const started = body() as T | NodeJS.Timeout | NodeJS.Immediate;
  if (typeof started === 'object' && started !== null && 'hasRef' in started) {
    clearTimeout(started as NodeJS.Timeout);
    clearImmediate(started as NodeJS.Immediate);
  }
  return started as T;
}

/** A realm with locks, which holds a file by which others find out whether it lives. */
class Realm {
  readonly locks: BucketLocks;
  readonly id: number;
  isDead = false;
  /** Others have once taken it for dead. */
  wasDeposed = false;
  #log: MortalLog | null = null;

  constructor(shared: SharedLog, id: number, dead: ReadonlySet<number>) {
    this.id = id;
    this.locks = new BucketLocks({ path: '/nowhere', ensure: nothing }, {
      identity: { boot: 'b', namespace: 'n', pid: 1, tid: 1, start: id },
      probe: ({ start }) => (dead.has(start) ? 'dead' : 'alive'),
      log: (machine) => (this.#log = new MortalLog(shared, machine)),
      detach: withoutTimers,
    });
    this.locks.hold('realms', id);
  }

  kill(): void {
    this.isDead = true;
    if (this.#log !== null) this.#log.isDead = true;
  }

  async end(): Promise<void> {
    await this.locks.close();
  }
}

/** A claim that was granted, or a connection. */
interface Held {
  readonly kind: 'queue' | 'alone' | 'writer' | 'connection';
  readonly realm: Realm;
  readonly database: string;
  readonly claim: Claim;
  /** Of a connection: the wants that it has been told of, and whether it is done with each. */
  readonly told: Map<number, boolean>;
}

/** A wait to be alone. */
interface Wait {
  readonly realm: Realm;
  readonly database: string;
  readonly label: number;
  readonly own: Claim | undefined;
  isBlocked: boolean;
  isOver: boolean;
}

/** A place among writers. */
interface Place {
  readonly realm: Realm;
  readonly database: string;
  readonly claim: Claim;
  isOver: boolean;
}

/**
 * Runs one schedule of several realms that open, upgrade, delete, read and write two databases, in which realms are
 * killed or taken for dead, and look at the journal late. Checked at each step: who holds what excludes whom; who is told
 * of what, and who is blocked when. In the end everybody who lives has got everything, and nothing is left.
 *
 * @returns what went wrong, or null.
 */
export async function simulate(seed: number, steps = 80): Promise<string | null> {
  const simulation = new Simulation(seed);
  try {
    for (let step = 0; step < steps; step++) await simulation.step();
    await simulation.finish();
    return null;
  } catch (error) {
    return error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
  } finally {
    await simulation.end();
  }
}

class Simulation {
  readonly #random: Random;
  readonly #log = new SharedLog();
  readonly #dead = new Set<number>();
  readonly #realms: Realm[] = [];
  readonly #held = new Set<Held>();
  readonly #waits = new Set<Wait>();
  readonly #places = new Set<Place>();
  readonly #gates: { readonly realm: Realm; readonly open: () => void }[] = [];
  #actors = new Map<object, Realm>();
  #failure: unknown = null;
  #labels = 0;
  #ids = 0;
  #kills = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    for (let count = 0; count < 3; count++) this.#addRealm();
  }

  async step(): Promise<void> {
    const realm = this.#random.pickIfAny(this.#living);
    if (realm === undefined) return;
    const chance = this.#random.next();
    if (chance < 0.25) this.#begin(realm);
    else if (chance < 0.75) this.#openGate();
    else if (chance < 0.87) realm.locks.isHeld('realms', realm.id);
    else if (chance < 0.9) this.#kill(realm);
    else if (chance < 0.92) this.#depose(realm);
    else if (chance < 0.94) this.#compact();
    else await this.#settle();
    if (this.#random.chance(0.7)) await flush();
    this.#rethrow();
  }

  /** Everybody goes on until all have done what they wanted. */
  async finish(): Promise<void> {
    for (let round = 0; this.#remaining > 0; round++) {
      check(round < 300, 'somebody waits for ever');
      while (this.#openGate());
      await this.#settle();
    }
    await this.#settle();
    this.#checkEmpty();
  }

  async end(): Promise<void> {
    for (const realm of this.#realms) await realm.end();
  }

  get #living(): Realm[] {
    return this.#realms.filter(({ isDead }) => !isDead);
  }

  get #remaining(): number {
    return [...this.#actors.values()].filter(({ isDead }) => !isDead).length;
  }

  #addRealm(): void {
    this.#realms.push(new Realm(this.#log, ++this.#ids, this.#dead));
  }

  // What happens to realms.

  #kill(realm: Realm): void {
    if (realm.wasDeposed || this.#kills === 3) return;
    this.#kills++;
    realm.kill();
    this.#dead.add(realm.id);
    this.#addRealm();
  }

  /** Somebody takes it for dead; it goes on. */
  #depose(realm: Realm): void {
    const by = this.#random.pickIfAny(this.#living.filter((other) => other !== realm));
    if (realm.wasDeposed || by === undefined) return;
    realm.wasDeposed = true;
    this.#dead.add(realm.id);
    by.locks.isHeld('realms', realm.id);
    this.#dead.delete(realm.id);
  }

  #compact(): void {
    this.#log.compact(this.#machine());
  }

  #machine(): LockMachine {
    const machine = new LockMachine(listener);
    new MemoryLog(this.#log, machine).catchUp();
    return machine;
  }

  /** Everybody looks, at the journal and at who has died, until nothing happens any more. */
  async #settle(): Promise<void> {
    for (let before = -1; before !== this.#log.end; ) {
      before = this.#log.end;
      for (const { locks } of this.#living) for (const { id } of this.#realms) locks.isHeld('realms', id);
      await flush();
      this.#rethrow();
    }
    for (const wait of this.#waits) this.#checkWait(wait);
  }

  // What realms do.

  #begin(realm: Realm): void {
    const database = this.#random.chance(0.7) ? 'x' : 'y';
    const actor = {};
    this.#actors.set(actor, realm);
    const act = this.#random.chance(0.25) ? this.#delete(realm, database) : this.#open(realm, database);
    act
      .catch((error: unknown) => this.#fail(realm, error))
      .finally(() => this.#actors.delete(actor));
  }

  /** What one who was taken for dead relied on has failed. */
  #fail(realm: Realm, error: unknown): void {
    if (realm.isDead || (realm.wasDeposed && error instanceof HoldfastError && error.code === 'session-lost')) return;
    this.#failure ??= error;
  }

  async #open(realm: Realm, database: string): Promise<void> {
    const queue = this.#hold('queue', realm, database, await realm.locks.queue(database));
    let connection: Held | undefined;
    try {
      await this.#gate(realm);
      const isUpgradedFirst = this.#random.chance(0.5);
      if (!isUpgradedFirst) connection = this.#connect(realm, database);
      await this.#gate(realm);
      if (isUpgradedFirst || this.#random.chance(0.3)) {
        const alone = await this.#alone(realm, database, connection?.claim);
        await this.#gate(realm);
        connection ??= this.#connect(realm, database);
        await this.#gate(realm);
        this.#release(alone);
      }
    } catch (error) {
      if (connection !== undefined) this.#release(connection);
      throw error;
    } finally {
      this.#release(queue);
    }
    for (let count = this.#random.below(3); connection !== undefined && this.#isValid(connection) && count > 0; count--) await this.#transact(realm, database);
    await this.#gate(realm);
    if (connection !== undefined) this.#release(connection);
  }

  async #delete(realm: Realm, database: string): Promise<void> {
    const queue = this.#hold('queue', realm, database, await realm.locks.queue(database));
    try {
      const alone = await this.#alone(realm, database);
      await this.#gate(realm);
      this.#release(alone);
    } finally {
      this.#release(queue);
    }
  }

  async #alone(realm: Realm, database: string, own?: Claim): Promise<Held> {
    const wait: Wait = { realm, database, label: ++this.#labels, own, isBlocked: false, isOver: false };
    this.#waits.add(wait);
    try {
      const claim = await realm.locks.alone(database, { newVersion: wait.label }, () => this.#blocked(wait), own);
      return this.#hold('alone', realm, database, claim, own);
    } finally {
      wait.isOver = true;
      this.#waits.delete(wait);
    }
  }

  #connect(realm: Realm, database: string): Held {
    const connection: Held = {
      kind: 'connection',
      realm,
      database,
      claim: realm.locks.connect(database, (wanted) => this.#tell(connection, wanted)),
      told: new Map(),
    };
    for (const held of this.#others('alone', database)) check(held.realm === realm, 'a connection was opened while another realm was alone');
    this.#held.add(connection);
    return connection;
  }

  async #tell(connection: Held, { newVersion }: Wanted): Promise<void> {
    if (connection.realm.isDead) return;
    const label = newVersion ?? 0;
    this.#attempt(() => check(!connection.told.has(label), 'a connection was told twice'));
    connection.told.set(label, false);
    if (this.#random.chance(0.4)) await this.#gate(connection.realm);
    if (this.#random.chance(0.4)) this.#release(connection);
    connection.told.set(label, true);
  }

  async #transact(realm: Realm, database: string): Promise<void> {
    if (this.#random.chance(0.4)) return this.#read(realm, database);
    const claim = realm.locks.write(database);
    const place: Place = { realm, database, claim, isOver: false };
    this.#places.add(place);
    try {
      if (claim.granted !== null) await claim.granted;
      const writer = this.#hold('writer', realm, database, claim);
      await this.#gate(realm);
      this.#release(writer);
    } finally {
      place.isOver = true;
      this.#places.delete(place);
    }
  }

  async #read(realm: Realm, database: string): Promise<void> {
    const before = [...this.#places].filter((place) => place.realm !== realm && place.database === database && this.#isValid(place));
    const { end } = this.#log;
    const passed = realm.locks.writersBefore(database);
    if (passed === null) {
      // What waits hears a little later that it has lost its place.
      check(before.every((place) => place.realm.wasDeposed), 'a snapshot did not wait for a writer');
      check(this.#log.end === end, 'a look was written down');
      return;
    }
    await passed;
    check(before.every((place) => place.isOver || !this.#isValid(place)), 'a snapshot came before a writer that had come first');
  }

  /** Waits until the schedule lets it go on. */
  #gate(realm: Realm): Promise<void> {
    return new Promise((resolve) => this.#gates.push({ realm, open: resolve }));
  }

  #openGate(): boolean {
    const [gate] = this.#gates.splice(this.#random.below(this.#gates.length), 1);
    if (gate?.realm.isDead === false) gate.open();
    return gate !== undefined;
  }

  // What must be true.

  #hold(kind: Held['kind'], realm: Realm, database: string, claim: Claim, own?: Claim): Held {
    const held: Held = { kind, realm, database, claim, told: new Map() };
    if (this.#isValid(held)) {
      check(this.#others(kind, database).length === 0, `two have the ${kind}`);
      if (kind === 'alone') check(this.#others('connection', database).every((other) => other.claim === own), 'one is alone though a connection is open');
    }
    this.#held.add(held);
    return held;
  }

  #release(held: Held): void {
    this.#held.delete(held);
    if (!held.realm.isDead) held.claim.release();
  }

  #others(kind: Held['kind'], database: string): Held[] {
    return [...this.#held].filter((held) => held.kind === kind && held.database === database && this.#isValid(held));
  }

  #isValid({ realm, claim }: { readonly realm: Realm; readonly claim: Claim }): boolean {
    return !realm.isDead && !(realm.wasDeposed && claim.isLost);
  }

  #blocked(wait: Wait): void {
    if (wait.realm.isDead) return;
    this.#attempt(() => {
      check(!wait.isBlocked && !wait.isOver, 'one was blocked twice, or when it was over');
      wait.isBlocked = true;
      const open = this.#inTheWay(wait);
      check(open.every(({ told }) => told.get(wait.label) === true), 'one was blocked before all had been told');
      check(open.length > 0 || this.#kills > 0 || this.#realms.some(({ wasDeposed }) => wasDeposed), 'one was blocked by nobody');
    });
  }

  #inTheWay({ database, own }: Wait): Held[] {
    return this.#others('connection', database).filter(({ claim }) => claim !== own);
  }

  /** When everybody has looked. */
  #checkWait(wait: Wait): void {
    if (wait.realm.isDead || wait.realm.wasDeposed) return;
    const open = this.#inTheWay(wait);
    check(open.length > 0, 'one waits though nothing is open');
    check(open.every(({ told }) => told.has(wait.label)), 'a connection was not told');
    if (open.every(({ told }) => told.get(wait.label))) check(wait.isBlocked, 'one was not told that it is blocked');
  }

  #checkEmpty(): void {
    for (const session of this.#machine().sessions.values()) {
      for (const claim of session.claims.values()) {
        check(claim.type === 'web' && claim.name.endsWith(':realms'), `${claim.type === 'web' ? claim.name : claim.type} is left`);
      }
    }
  }

  /** In what the locks call: what fails there is told by the next step. */
  #attempt(body: () => void): void {
    try {
      body();
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #rethrow(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}

/** Lets all that has been resolved be heard. */
async function flush(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await null;
  // Of many that are told at once, some hear of it in a later turn.
  await nextTurn();
}
