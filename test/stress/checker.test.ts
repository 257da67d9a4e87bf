import { describe, expect, it } from 'vitest';
import { check, VERIFIER } from './check.ts';
import { toHistory, type Action, type Death, type Line, type LockMode, type Result } from './history.ts';
import { decodeValue, encodeValue } from './values.ts';

/** What one realm wrote down, in a notation of its own. */
class Realm {
  readonly lines: Line[] = [];
  #id = 0;

  /** An operation from `from` to `to`. */
  did(from: number, to: number, action: Action, result: Result = null): this {
    const call = this.began(from, action);
    this.lines.push({ t: to, done: call, result });
    return this;
  }

  began(from: number, action: Action): number {
    this.lines.push({ t: from, call: ++this.#id, object: 'o', action });
    return this.#id;
  }

  holds(from: number, mode: LockMode): number {
    this.lines.push({ t: from, held: ++this.#id, lock: 'l', mode });
    return this.#id;
  }

  held(from: number, to: number, mode: LockMode = 'exclusive'): this {
    this.lines.push({ t: to, released: this.holds(from, mode) });
    return this;
  }
}

const set = (value: string, key = 'k'): Action => ({ do: 'set', key, value });
const get = (key = 'k'): Action => ({ do: 'get', key });

function found(realms: Record<string, Realm>, deaths: Record<string, Death> = {}): string[] {
  const lines = new Map(Object.entries(realms).map(([name, realm]) => [name, realm.lines]));
  const violations = check(toHistory(lines, new Map(Object.entries(deaths))));
  return Object.entries(violations).flatMap(([kind, list]) => (list as string[]).map(() => kind));
}

describe('the order of operations', () => {
  it('is explained where each read tells the last write', () => {
    const one = new Realm().did(0, 1, set('a')).did(4, 5, set('b'));
    const other = new Realm().did(2, 3, get(), 'a').did(6, 7, get(), 'b');
    expect(found({ one, other })).toEqual([]);
  });

  it('leaves open which of two at the same time came first, as long as all agree', () => {
    const one = new Realm().did(0, 10, set('a'));
    const two = new Realm().did(0, 10, set('b'));
    const agree = new Realm().did(2, 3, get(), 'b').did(4, 5, get(), 'a').did(11, 12, get(), 'a');
    expect(found({ one, two, agree })).toEqual([]);
    const differ = new Realm().did(2, 3, get(), 'b').did(4, 5, get(), 'a').did(6, 7, get(), 'b');
    expect(found({ one, two, differ })).toEqual(['order']);
  });

  it('is violated by a read of what was overwritten before it began', () => {
    const one = new Realm().did(0, 1, set('a')).did(2, 3, set('b'));
    const other = new Realm().did(4, 5, get(), 'a');
    expect(found({ one, other })).toEqual(['order']);
  });

  it('is violated by a read of what is written only later', () => {
    const one = new Realm().did(4, 5, set('a'));
    const other = new Realm().did(2, 3, get(), 'a');
    expect(found({ one, other })).toEqual(['order']);
  });

  it('is violated by a read of what nobody wrote', () => {
    expect(found({ one: new Realm().did(0, 1, get(), 'a') })).toEqual(['order']);
  });

  it('is violated where a write is seen, then not, then again', () => {
    const one = new Realm().did(0, 1, set('a')).did(2, 20, set('b'));
    const other = new Realm().did(5, 6, get(), 'b').did(7, 8, get(), 'a');
    expect(found({ one, other })).toEqual(['order']);
  });

  it('is one for all keys that an operation concerns', () => {
    const one = new Realm().did(0, 1, set('a', 'x')).did(2, 3, set('b', 'y')).did(4, 5, { do: 'clear' });
    expect(found({ one, other: new Realm().did(6, 7, get('x')).did(8, 9, get('y')) })).toEqual([]);
    expect(found({ one, other: new Realm().did(6, 7, get('x')).did(8, 9, get('y'), 'b') })).toEqual(['order']);
  });

  it('is violated by a file that is in two places after a move, or in none', () => {
    const one = new Realm().did(0, 1, { do: 'create', key: 'f' }, true);
    one.did(2, 3, { do: 'replace', key: 'f', value: 'a' }, true).did(4, 5, { do: 'move', key: 'f', to: 'g' }, true);
    expect(found({ one, other: new Realm().did(6, 7, get('g'), 'a').did(8, 9, get('f')) })).toEqual([]);
    expect(found({ one, other: new Realm().did(6, 7, get('f'), 'a') })).toEqual(['order']);
    expect(found({ one, other: new Realm().did(6, 7, get('g')) })).toEqual(['order']);
  });

  it('is violated by a file that outlives its directory, or is created without one', () => {
    const one = new Realm().did(0, 1, { do: 'mkdir', key: 't' }, true).did(2, 3, { do: 'create', key: 't/f' }, true);
    one.did(4, 5, { do: 'rmtree', key: 't' }, true);
    expect(found({ one, other: new Realm().did(6, 7, { do: 'look', key: 't/f' }, true) })).toEqual(['order']);
    expect(found({ one, other: new Realm().did(6, 7, { do: 'create', key: 't/f' }, true) })).toEqual(['order']);
    expect(found({ one, other: new Realm().did(6, 7, { do: 'create', key: 't/f' }, false) })).toEqual([]);
  });

  it('is violated by the replacement of a file that was removed under its lock', () => {
    const one = new Realm().did(0, 1, { do: 'replace', key: 'f', value: 'a' }, true);
    expect(found({ one })).toEqual(['order']);
  });

  it('is violated by half a value', () => {
    const whole = encodeValue('a', 100);
    const one = new Realm().did(0, 1, set('a'));
    expect(found({ one, other: new Realm().did(2, 3, get(), decodeValue(whole)) })).toEqual([]);
    expect(found({ one, other: new Realm().did(2, 3, get(), decodeValue(whole.slice(0, -1))) })).toEqual(['order']);
  });
});

describe('an operation whose process was killed', () => {
  const death = { killed: { signalled: 10, gone: 12 } };

  function killed(action: Action): Realm {
    const realm = new Realm();
    realm.began(5, action);
    return realm;
  }

  it('may have happened, or not', () => {
    const before = new Realm().did(0, 1, set('a'));
    expect(found({ before, killed: killed(set('b')), after: new Realm().did(20, 21, get(), 'a') }, death)).toEqual([]);
    expect(found({ before, killed: killed(set('b')), after: new Realm().did(20, 21, get(), 'b') }, death)).toEqual([]);
    expect(found({ before, killed: killed(set('b')), after: new Realm().did(20, 21, get(), 'c') }, death)).toEqual(['order']);
  });

  it('does not happen after the death', () => {
    const before = new Realm().did(0, 1, set('a'));
    const after = new Realm().did(20, 21, get(), 'a').did(22, 23, get(), 'b');
    expect(found({ before, killed: killed(set('b')), after }, death)).toEqual(['order']);
  });

  it('does not happen twice, nor is it taken back', () => {
    const back = new Realm().did(6, 7, get(), 'b').did(20, 21, get());
    expect(found({ killed: killed(set('b')), back }, death)).toEqual(['order']);
    const twice = new Realm().did(6, 7, get(), 'b').did(8, 9, set('c')).did(20, 21, get(), 'b');
    expect(found({ killed: killed(set('b')), twice }, death)).toEqual(['order']);
  });
});

describe('what was acknowledged', () => {
  const one = new Realm().did(0, 1, set('a')).did(2, 3, set('b', 'other')).did(4, 5, { do: 'remove', key: 'other' });

  it('is there in the end', () => {
    expect(found({ one, [VERIFIER]: new Realm().did(10, 11, get(), 'a').did(12, 13, get('other')) })).toEqual([]);
  });

  it('is missed when it is lost, or comes back', () => {
    expect(found({ one, [VERIFIER]: new Realm().did(10, 11, get()) })).toEqual(['survival']);
    expect(found({ one, [VERIFIER]: new Realm().did(10, 11, get('other'), 'b') })).toEqual(['survival']);
  });
});

describe('exclusive locks', () => {
  it('may touch, and those of one that was killed end with it', () => {
    const killed = new Realm();
    killed.holds(20, 'exclusive');
    const realms = { one: new Realm().held(0, 5), two: new Realm().held(5, 9), killed, after: new Realm().held(31, 32) };
    expect(found(realms, { killed: { signalled: 30, gone: 33 } })).toEqual([]);
  });

  it('must not overlap', () => {
    expect(found({ one: new Realm().held(0, 5), two: new Realm().held(4, 9) })).toEqual(['exclusion']);
    expect(found({ one: new Realm().held(0, 20), two: new Realm().held(4, 9) })).toEqual(['exclusion']);
  });

  it('must not overlap that of one that is killed later, nor one that is never released', () => {
    const holder = new Realm();
    holder.holds(0, 'exclusive');
    const realms = { holder, other: new Realm().held(29, 40) };
    expect(found(realms, { holder: { signalled: 30, gone: 33 } })).toEqual(['exclusion']);
    expect(found(realms)).toEqual(['exclusion']);
  });

  it('must not overlap shared ones, which may overlap each other', () => {
    const shared = { one: new Realm().held(0, 9, 'shared'), two: new Realm().held(4, 20, 'shared') };
    expect(found(shared)).toEqual([]);
    expect(found({ ...shared, three: new Realm().held(15, 16) })).toEqual(['exclusion']);
    expect(found({ one: new Realm().held(0, 20), two: new Realm().held(4, 5, 'shared') })).toEqual(['exclusion']);
  });
});

it('a failure that nothing explains is a violation, and the operation may have happened', () => {
  const one = new Realm();
  one.lines.push({ t: 1, failed: one.began(0, set('a')), why: 'UnknownError' });
  expect(found({ one, other: new Realm().did(2, 3, get(), 'a') })).toEqual(['failures']);
  expect(found({ one, other: new Realm().did(2, 3, get()) })).toEqual(['failures']);
});
