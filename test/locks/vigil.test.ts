import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Bell } from '../../src/disk/locks/bell.ts';
import { Vigil } from '../../src/disk/locks/vigil.ts';

/** A clock that goes on only when a timer is due, and the one timer that a vigil has. */
const clock = vi.hoisted(() => ({ now: 0, due: Infinity, run: (): void => {} }));

vi.mock('../../src/runtime/timers.ts', () => ({
  uptime: () => clock.now,
  setTimeout: (run: () => void, delay: number) => {
    clock.due = clock.now + delay;
    clock.run = run;
    return { unref: () => {} };
  },
  clearTimeout: () => {
    clock.due = Infinity;
  },
}));

const bell = (): Bell => {
  const state = { isWatched: false, watch: () => void (state.isWatched = true), close: () => void (state.isWatched = false) };
  return state as unknown as Bell;
};

let state: 'waiting' | 'keeping' | 'idle';
let attended: number[];

function vigil(keenMs: number): Vigil {
  const attend = (): void => void attended.push(clock.now);
  const duties = { state: () => state, look: () => {}, attend, touch: () => {} };
  return new Vigil(bell(), duties, { lookMs: 1000, touchMs: 5000, keenMs, detach: (body) => body() });
}

function runUntil(end: number): void {
  while (clock.due <= end) {
    clock.now = clock.due;
    clock.due = Infinity;
    clock.run();
  }
  clock.now = end;
}

function wait(watch: Vigil): void {
  state = 'waiting';
  watch.expect();
  watch.update();
}

beforeEach(() => {
  Object.assign(clock, { now: 0, due: Infinity });
  attended = [];
  state = 'idle';
});

describe('who waits looks after those before it', () => {
  it('once a second, after a first look', () => {
    wait(vigil(0));
    runUntil(4000);
    expect(attended).toEqual([50, 1050, 2050, 3050]);
  });

  it('every 50 ms for as long as it is keen, then once a second', () => {
    wait(vigil(200));
    runUntil(3000);
    expect(attended).toEqual([50, 100, 150, 1200, 2200]);
  });

  it('and is keen again when it begins to wait for more', () => {
    const watch = vigil(200);
    wait(watch);
    runUntil(2500);
    attended = [];
    watch.expect();
    runUntil(3000);
    expect(attended).toEqual([2550, 2600, 2650]);
  });

  it('is not keen while it holds only', () => {
    state = 'keeping';
    const watch = vigil(200);
    watch.update();
    runUntil(3000);
    expect(attended.length).toBe(3);
  });
});
