import assert from 'node:assert/strict';
import { BucketLocks } from '../../../src/disk/records/locks/bucket-locks.ts';
import { WriterPlaces, type WriterPlace } from '../../../src/indexed-db/model/writer-places.ts';
import { MemoryLog, SharedLog } from '../../locks/memory-log.ts';

/** Realms of one bucket, each of which has joined its journal. */
class Realms {
  readonly log = new SharedLog();
  readonly #locks: BucketLocks[] = [];

  places(): WriterPlaces {
    return new WriterPlaces(this.locks(), 'x', () => undefined);
  }

  locks(): BucketLocks {
    const locks = new BucketLocks({ path: '/nowhere', ensure: () => {} }, { log: (machine) => new MemoryLog(this.log, machine) });
    this.#locks.push(locks);
    locks.hold('joins', 0);
    return locks;
  }

  /** The journal of a realm that waits rings no bell: a question has it look. */
  look(): void {
    for (const locks of this.#locks) locks.isHeld('x', 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#locks.map((locks) => locks.close()));
  }
}

async function isTurn({ turn }: WriterPlace, realms: Realms): Promise<boolean> {
  let isOver = turn === null;
  turn?.then(
    () => (isOver = true),
    () => undefined,
  );
  for (let look = 0; look < 4; look++) {
    realms.look();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return isOver;
}

/** Each is a rule of whose turn it is. */
export const placeChecks: Readonly<Record<string, (realms: Realms) => Promise<void>>> = {
  'a hundred writers, each made when the one before is told of its end, cost two records': async (realms) => {
    const places = realms.places();
    const before = realms.log.end;
    let place = places.write();
    for (let next = 1; next < 100; next++) {
      places.leave(place.claim, true);
      place = places.write();
      assert.equal(place.turn, null);
      assert.equal(place.isNext, true);
      places.giveBack();
    }
    places.leave(place.claim, true);
    places.giveBack();
    assert.equal(realms.log.end - before, 2);
  },

  'one that is made later is no successor': async (realms) => {
    const places = realms.places();
    places.leave(places.write().claim, true);
    places.giveBack();
    assert.equal(places.write().isNext, false);
  },

  'nor is one behind another that has not written': async (realms) => {
    const places = realms.places();
    places.leave(places.write().claim, false);
    assert.equal(places.write().isNext, false);
  },

  'another realm that waits is next': async (realms) => {
    const [here, there] = [realms.places(), realms.places()];
    const first = here.write();
    const other = there.write();
    assert.equal(await isTurn(other, realms), false);
    here.leave(first.claim, true);
    const second = here.write();
    here.giveBack();
    assert.equal(second.isNext, false);
    assert.equal(await isTurn(other, realms), true);
    assert.equal(await isTurn(second, realms), false);
    there.leave(other.claim, true);
    there.giveBack();
    assert.equal(await isTurn(second, realms), true);
  },

  'what this realm has asked for before is next, readers too': async (realms) => {
    const places = realms.places();
    const first = places.write();
    const waiting = [places.write(), places.read()];
    places.leave(first.claim, true);
    const last = places.write();
    places.giveBack();
    assert.equal(last.isNext, false);
    for (const place of waiting) {
      assert.equal(await isTurn(place, realms), true);
      assert.equal(await isTurn(last, realms), false);
      places.leave(place.claim, false);
    }
    assert.equal(await isTurn(last, realms), true);
  },

  'what has asked for it in this realm by itself is next': async (realms) => {
    const locks = realms.locks();
    const places = new WriterPlaces(locks, 'x', () => undefined);
    const first = places.write();
    const look = locks.read('x');
    places.leave(first.claim, true);
    const second = places.write();
    places.giveBack();
    assert.equal(second.isNext, false);
    await look.granted;
    assert.equal(await isTurn(second, realms), false);
    look.release();
    assert.equal(await isTurn(second, realms), true);
  },

  'a reader that is made meanwhile comes before what is made after it': async (realms) => {
    const places = realms.places();
    places.leave(places.write().claim, true);
    const reader = places.read();
    const writer = places.write();
    places.giveBack();
    assert.equal(await isTurn(reader, realms), true);
    assert.equal(await isTurn(writer, realms), false);
    places.leave(reader.claim, false);
    assert.equal(await isTurn(writer, realms), true);
  },

  'nothing is kept when nobody has taken it': async (realms) => {
    const [here, there] = [realms.places(), realms.places()];
    here.leave(here.write().claim, true);
    here.giveBack();
    assert.equal(there.write().turn, null);
  },
};

/** What goes wrong, by the checks' names. */
export async function failuresOf(): Promise<string[]> {
  const failed: string[] = [];
  for (const [name, check] of Object.entries(placeChecks)) {
    const realms = new Realms();
    await check(realms).catch((error: unknown) => failed.push(`${name}: ${String(error)}`));
    await realms.close();
  }
  return failed;
}
