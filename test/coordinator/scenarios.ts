/** What coordinators promise, each so that a broken product fails it; also for mutants of it. */
import type { Call } from '../../src/coordinator/call.ts';
import { callBy } from '../../src/coordinator/line.ts';
import type { Route } from '../../src/coordinator/line.ts';
import { encode } from '../../src/coordinator/messages.ts';
import type { CoordinatorKey } from '../../src/coordinator/store.ts';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import { CoordinatorPlace } from '../../src/disk/coordinator/coordinator-place.ts';
import { Coordinator, testCoordinators } from '../../src/host/coordinator/index.ts';
import type { TestCoordinators } from '../../src/host/coordinator/index.ts';
import { coordinationOf } from '../../src/host/coordinator/coordinators.ts';
import { ownerOf } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const origin = 'https://test.example';

/** As another process would call what lives here, if it does. */
async function callOf(route: Route | null | undefined, key: CoordinatorKey, call: Call): Promise<unknown> {
  return route ? callBy(route, key, call) : undefined;
}

let runs: string[] = [];
/** What a slow call waits for. */
let gate = gateOf();

function gateOf(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

class List extends Coordinator {
  add(item: string): string[] {
    runs.push(item);
    const all = [...this.all(), item];
    this.localStorage.setItem('all', JSON.stringify(all));
    return all;
  }

  all(): string[] {
    return JSON.parse(this.localStorage.getItem('all') ?? '[]') as string[];
  }

  addIfEmpty(item: string): boolean {
    return this.all().length === 0 && this.add(item).length === 1;
  }

  reset(): void {
    this.localStorage.removeItem('all');
  }

  async slow(item: string): Promise<string[]> {
    this.add(`${item}1`);
    await this.state.wait(gate.opened);
    return this.add(`${item}2`);
  }

  /** Ends after its only change, in a turn of its own. */
  async late(item: string): Promise<number> {
    this.add(item);
    await this.state.wait(later(5));
    return 1;
  }

  async update(how: 'file' | 'block' | 'timer'): Promise<void> {
    const directory = await this.storage.getDirectory();
    const n = Number(this.localStorage.getItem('n') ?? 0);
    // A move leaves this thread, so that there is time for others to begin.
    if (how === 'file') await (await directory.getFileHandle('f', { create: true })).move('g');
    else if (how === 'block') await this.state.blockConcurrencyWhile(() => later(1));
    else await later(1);
    this.localStorage.setItem('n', String(n + 1));
  }

  n(): string | null {
    return this.localStorage.getItem('n');
  }

  wake(at: number): void {
    this.state.setAlarm(at);
  }

  override alarm(): void {
    runs.push('alarm');
  }
}

class Serial extends List {
  static override readonly concurrency = 'serial';
}

type Test = TestCoordinators;

/** What another process does that takes a coordinator over and leaves it. */
function elsewhere({ host }: Test, name: string, value: string[]): void {
  const root = ownerOf(host).root;
  const journal = new OwnedJournal(new CoordinatorPlace(root, { origin, className: 'List', name }), { durability: 'relaxed', quota: 1e6 });
  journal.look();
  journal.claim('elsewhere');
  journal.settle({ steps: [{ key: 'all', value: JSON.stringify(value) }], alarm: undefined, got: [], begun: [], ended: [] });
  journal.leave();
  journal.close();
}

/** Has the next turn end with a kill, right after its record. */
function killAfterTurn({ crash }: Test, stub: object): void {
  const { settle } = OwnedJournal.prototype;
  OwnedJournal.prototype.settle = function (turn) {
    OwnedJournal.prototype.settle = settle;
    settle.call(this, turn);
    crash(stub);
    return 'deposed';
  };
}

async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => value,
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

/** Each gives what it saw, for a comparison with what it must see. */
export const scenarios: Record<string, { readonly run: (test: Test) => Promise<unknown>; readonly expected: unknown }> = {
  'a write that is acknowledged is there': {
    run: async (test) => {
      const list = test.get(List, 'a');
      await list.add('1');
      test.depose(list);
      const added = await list.add('2');
      await later(1);
      return [added, await list.all()];
    },
    expected: [['1', '2'], ['1', '2']],
  },
  'a read sees what was acknowledged elsewhere': {
    run: async (test) => {
      const list = test.get(List, 'a');
      await list.add('1');
      elsewhere(test, 'a', ['1', 'elsewhere']);
      return list.all();
    },
    expected: ['1', 'elsewhere'],
  },
  'a call whose result was lost has run once': {
    run: async (test) => {
      const list = test.get(List, 'a');
      await list.add('1');
      killAfterTurn(test, list);
      return [await list.add('2'), runs];
    },
    expected: [['1', '2'], ['1', '2']],
  },
  'a call that comes again while it runs has run once': {
    run: async (test) => {
      const list = test.get(List, 'a');
      await list.all();
      const key = { origin, className: 'List', name: 'a' };
      const instance = coordinationOf.get(test.coordinators)?.coordination.live(key);
      const call = { caller: 99, number: 1, got: 0, isAgain: false, method: 'slow', args: encode(['x']), chain: [] };
      const first = callOf(instance, key, call);
      while (runs.length === 0) await later(1);
      const again = callOf(instance, key, call);
      gate.open();
      await Promise.all([first, again]);
      return runs;
    },
    expected: ['x1', 'x2'],
  },
  'a call that was interrupted is not run again': {
    run: async (test) => {
      const list = test.get(List, 'a');
      const call = outcomeOf(list.slow('x'));
      while ((await list.all()).length === 0) await later(1);
      test.crash(list);
      gate.open();
      return [await call, await list.all()];
    },
    expected: ['coordinator-interrupted', ['x1']],
  },
  'a call that was sent before is known to have ended, though it changed nothing': {
    run: async (test) => {
      const list = test.get(List, 'a');
      await list.all();
      const key = { origin, className: 'List', name: 'a' };
      const instance = coordinationOf.get(test.coordinators)?.coordination.live(key);
      const call = { caller: 96, number: 1, got: 0, isAgain: true, method: 'addIfEmpty', args: encode(['x']), chain: [] };
      await list.add('1');
      await callOf(instance, key, call);
      await list.reset();
      // It comes once more, from where it was lost: its caller has been told that there was something.
      await callOf(instance, key, { ...call, isAgain: false });
      return list.all();
    },
    expected: [],
  },
  'no call begins while a file is awaited': {
    run: async ({ get }) => {
      await Promise.all(Array.from({ length: 20 }, () => get(List, 'a').update('file')));
      return get(List, 'a').n();
    },
    expected: '20',
  },
  'no call begins within a section': {
    run: async ({ get }) => {
      await Promise.all(Array.from({ length: 20 }, () => get(List, 'a').update('block')));
      return get(List, 'a').n();
    },
    expected: '20',
  },
  'no call begins before the one before has ended, where it is serial': {
    run: async ({ get }) => {
      await Promise.all(Array.from({ length: 20 }, () => get(Serial, 'a').update('timer')));
      return get(Serial, 'a').n();
    },
    expected: '20',
  },
  'an alarm is known before the turn that sets it': {
    run: async (test) => {
      const list = test.get(List, 'a');
      await list.all();
      killAfterTurn(test, list);
      // Nobody calls it again, which would have the alarm noted.
      const instance = coordinationOf.get(test.coordinators)?.coordination.live({ origin, className: 'List', name: 'a' });
      const call = { caller: 97, number: 1, got: 0, isAgain: false, method: 'wake', args: encode([Date.now() + 1000]), chain: [] };
      await outcomeOf(callOf(instance, { origin, className: 'List', name: 'a' }, call));
      // Its clock has stood still since it was made, whenever that was.
      await test.advance(3_600_000);
      return runs;
    },
    expected: ['alarm'],
  },
  'a call that has ended without a change is known to have ended': {
    run: async (test) => {
      const list = test.get(List, 'a');
      await list.all();
      const key = { origin, className: 'List', name: 'a' };
      const call = { caller: 98, number: 1, got: 0, isAgain: false, method: 'late', args: encode(['x']), chain: [] };
      const again = async (): Promise<unknown> => outcomeOf(callOf(coordinationOf.get(test.coordinators)?.coordination.live(key), key, call));
      await again();
      await test.evict(list);
      await list.all();
      return [typeof (await again()), runs];
    },
    expected: ['object', ['x']],
  },
};

/** What a scenario sees. */
export async function see(name: string, patience = 30_000): Promise<unknown> {
  runs = [];
  gate = gateOf();
  const test = testCoordinators({ List, Serial }, encrypted);
  try {
    return await Promise.race([scenarios[name]?.run(test), later(patience).then(() => 'it hangs')]);
  } finally {
    // Where something hangs this would wait for it.
    await Promise.race([test.close(), later(1000)]);
  }
}
