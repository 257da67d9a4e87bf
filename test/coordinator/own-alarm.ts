/** What an instance's alarm tells the index, in states in which the store and the turn do not agree. */
import { OwnAlarm } from '../../src/coordinator/own-alarm.ts';
import { PendingTurn } from '../../src/coordinator/turn.ts';
import type { Alarm } from '../../src/disk/coordinator/owned-records.ts';
import { MapState } from '../../src/disk/map/map-state.ts';

const KEY = { origin: 'https://app.example', className: 'C', name: 'n' };
const NOW = 500;

interface Scene {
  readonly own: OwnAlarm;
  readonly store: { alarm: Alarm | null; readonly stamp: number };
  readonly turn: PendingTurn;
  readonly told: string[];
}

/** The index is told at the time 500; the store has an alarm at 900. */
function scene(): Scene {
  const told: string[] = [];
  const alarms = { expect: () => undefined, note: () => undefined, move: (_key: unknown, time: number) => void told.push(`move ${time}`), forget: () => void told.push('forget') };
  const clock = { now: () => NOW, after: () => () => undefined };
  const store = { alarm: { time: 900, attempt: 0 } as Alarm | null, stamp: 1 };
  const turn = new PendingTurn(new MapState());
  return { own: new OwnAlarm(KEY, store, turn, { alarms, clock }), store, turn, told };
}

export const cases = {
  'what is in doubt': (): string[] => {
    const { own, told } = scene();
    own.isDue(true);
    return told;
  },
  'what is not written': (): string[] => {
    const { own, turn, told } = scene();
    turn.alarm = { time: 2000, attempt: 0 };
    own.isDue(false);
    return told;
  },
  'what is not deleted yet': (): string[] => {
    const { own, turn, told } = scene();
    turn.alarm = null;
    own.forget();
    return told;
  },
};

export function whatIsSo(): string[] {
  const { own, store, told } = scene();
  own.isDue(false);
  store.alarm = null;
  own.isDue(false);
  return told;
}
