/** What callers are told who have sent a call again and again, and got no answer. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Call } from '../../src/coordinator/call.ts';
import { CoordinatorError, MovedError } from '../../src/coordinator/errors.ts';
import type { Waiter } from '../../src/coordinator/event.ts';
import { encode } from '../../src/coordinator/messages.ts';
import { CoordinatorPlace } from '../../src/disk/coordinator/coordinator-place.ts';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import type { Turn } from '../../src/disk/coordinator/owned-records.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { ownerOf } from '../../src/host/storage-host.ts';
import { openHost } from '../host/support.ts';
import { withOrigin } from './root.ts';

const key = { origin: 'https://app.example', className: 'Deadly', name: 'a' };

interface Scene {
  readonly journal: OwnedJournal;
  /** What the caller is told. */
  readonly told: unknown;
  readonly calls: readonly Call[];
}

/** A process that owns the coordinator takes a call, does so much of it, and is lost; so is each that comes after it, unless it refuses. */
async function lose(doing: (call: Call, attempt: number) => Partial<Turn> | null, refusal: Error | null = null): Promise<Scene> {
  const host = openHost();
  const root = withOrigin(ownerOf(host).root, key.origin);
  const journal = new OwnedJournal(new CoordinatorPlace(root, key), { durability: 'relaxed', quota: 1e6 });
  journal.look();
  journal.claim('elsewhere');
  const calls: Call[] = [];
  const route = {
    call: (_key: unknown, call: Call, waiter: Waiter) => {
      calls.push(call);
      const turn = doing(call, calls.length);
      if (turn !== null) journal.settle({ steps: [], alarm: undefined, got: [], begun: [], ended: [], ...turn });
      waiter.reject(refusal !== null && calls.length > 1 ? refusal : new MovedError(true));
    },
  };
  const transport = { address: 'here', ready: async () => undefined, reach: async () => route, find: async () => null, close: async () => undefined };
  const coordinators = new Coordinators(host, {}, { connect: () => transport });
  onTestFinished(async () => {
    journal.close();
    await coordinators.close();
  });
  const stub = coordinators.get(key.origin, key.className, key.name) as unknown as { act(): Promise<unknown> };
  const told = await stub.act().then(
    (value) => value,
    (error: unknown) => error,
  );
  return { journal, told, calls };
}

const turnOf = (value: string): Partial<Turn> => ({ steps: [{ key: 'k', value }] });

describe('a call whose processes are lost one after another is given up, and its caller is told what the journal says:', () => {
  test('nothing of it happened, and nothing will', async () => {
    const { told, calls, journal } = await lose(() => null);
    expect(told).toMatchObject({ code: 'coordinator-unavailable', outcome: 'not-run', retryable: false });
    expect(new Set(calls.map(({ caller, number }) => `${caller} ${number}`)).size).toBe(1);
    expect(calls).toHaveLength(5);
    // The last one was only paused, and goes on.
    expect(journal.settle({ steps: [{ key: 'k', value: 'late' }], alarm: undefined, got: [], begun: [], ended: [] })).toBe('deposed');
    // One that finds the call still waiting in its socket does not run it.
    journal.look();
    journal.claim('next');
    expect([journal.map.get('k'), journal.ledger.fate(calls[0] as Call)]).toMatchObject([undefined, { kind: 'error' }]);
  });

  test('it had run, and this is what it gave', async () => {
    const { told } = await lose((call, attempt) => (attempt === 5 ? { ...turnOf('1'), ended: [{ caller: call.caller, number: call.number, fate: { kind: 'value', bytes: encode('result') } }] } : null));
    expect(told).toBe('result');
  });

  test('it had run, and what it gave is too large to be kept', async () => {
    const { told } = await lose((call, attempt) => (attempt === 5 ? { ...turnOf('1'), ended: [{ caller: call.caller, number: call.number, fate: { kind: 'large' } }] } : null));
    expect(told).toMatchObject({ code: 'coordinator-interrupted', outcome: 'ran', retryable: false });
  });

  test('it had run where it was lost, though the next one has refused it', async () => {
    const full = new CoordinatorError('coordinator-overloaded', 'full', { outcome: 'not-run', overloaded: true });
    const ended = (call: Call): Partial<Turn> => ({ ...turnOf('1'), ended: [{ caller: call.caller, number: call.number, fate: { kind: 'value', bytes: encode('result') } }] });
    expect((await lose((call, attempt) => (attempt === 1 ? ended(call) : null), full)).told).toBe('result');
    const { told, calls, journal } = await lose(() => null, full);
    expect([told, calls.map(({ isAgain }) => isAgain)]).toEqual([full, [false, true]]);
    journal.look();
    expect(journal.ledger.fate(calls[0] as Call)).toMatchObject({ kind: 'error' });
  });

  test('it was interrupted', async () => {
    const { told, journal } = await lose((call, attempt) => (attempt === 5 ? { ...turnOf('1'), begun: [{ caller: call.caller, number: call.number }] } : null));
    expect(told).toMatchObject({ code: 'coordinator-interrupted', outcome: 'partial' });
    journal.look();
    expect(journal.map.get('k')).toBe('1');
  });
});
