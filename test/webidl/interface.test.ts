import { expect, it } from 'vitest';
import { defineInterface, illegalConstructor, internal, requireArguments } from '../../src/webidl/interface.ts';
import { QuotaExceededError } from '../../src/webidl/quota-exceeded-error.ts';

class Gadget {
  constructor(token: typeof internal) {
    if (token !== internal) illegalConstructor();
  }
  get size(): number {
    return 1;
  }
  turn(_by?: number): void {
    requireArguments(arguments.length, 1, 'Widget', 'turn');
  }
}
defineInterface(Gadget, { name: 'Widget', operations: { turn: 1 }, attributes: ['size'] });

it('shapes a class as Web IDL asks', () => {
  expect(Gadget.name).toBe('Widget');
  expect(Gadget.length).toBe(0);
  expect(Gadget.prototype.turn.length).toBe(1);
  expect(Object.keys(Gadget.prototype)).toEqual(expect.arrayContaining(['turn', 'size']));
  expect(Object.prototype.toString.call(new Gadget(internal))).toBe('[object Widget]');
});

it('lets nobody construct without the token', () => {
  expect(() => Reflect.construct(Gadget, [])).toThrow(/Illegal constructor/);
});

it('counts arguments as browsers do', () => {
  expect(() => new Gadget(internal).turn()).toThrow(
    "Failed to execute 'turn' on 'Widget': 1 argument required, but only 0 present.",
  );
});

it('has a QuotaExceededError with quota and requested', () => {
  const error = new QuotaExceededError('full', { quota: 1, requested: 2 });
  expect(error).toBeInstanceOf(DOMException);
  expect([error.name, error.code, error.quota, error.requested]).toEqual(['QuotaExceededError', 22, 1, 2]);
  expect(() => new QuotaExceededError('', { quota: 2, requested: 1 })).toThrow(RangeError);
  expect(new QuotaExceededError().quota).toBeNull();
});
