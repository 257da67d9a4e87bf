import type { CoordinatorKey } from '../disk/coordinator/coordinator-place.ts';
import type { OwnedJournal, Settlement } from '../disk/coordinator/owned-journal.ts';
import type { Owner, Turn } from '../disk/coordinator/owned-records.ts';
import type { MapArea } from '../disk/map/map-area.ts';
import type { MapClient } from '../disk/map/map-client.ts';
import type { Rounds } from './rounds.ts';

/** What takes its time where it is not on this machine. */
type Soon<Value> = Value | Promise<Value>;

/**
 * All that a coordinator needs of where it is kept, its journal or its hub's log, with what that says of it. One of
 * `look`, `claim`, `settle` and `check` ends before the next one begins.
 */
export interface Store extends Pick<OwnedJournal, 'map' | 'ledger' | 'alarm' | 'epoch' | 'stamp' | 'leave' | 'close'> {
  look(): Soon<Owner | null>;
  claim(address: string): Soon<boolean>;
  /** What it writes shows when this returns, and counts when it has resolved. */
  settle(turn: Turn): Soon<Settlement>;
  check(): Soon<boolean>;
}

/** The storage of one live coordinator, as whoever wires it has made it. */
export interface LiveStorage<Client> {
  readonly client: Client;
  /** Whatever is asked of its objects from now on is an error. */
  end(): void;
}

/** Time, which tests replace. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back after that many milliseconds, and keeps no process alive; returns what prevents it. */
  after(milliseconds: number, callback: () => void): () => void;
}

/**
 * When coordinators are to be woken, as all who may wake them know it; errs to the early side. What is said of one at a
 * lower `stamp` of its store than something else was is void.
 */
export interface AlarmBook {
  /** It is about to be noted: for that no other record is needed than that of the next that is. */
  expect(key: CoordinatorKey, time: number, stamp: number): void;
  /** The coordinator is to be looked at no later than then. */
  note(key: CoordinatorKey, time: number, stamp: number): void;
  /** It is to be looked at then, and not before. */
  move(key: CoordinatorKey, time: number, stamp: number): void;
  /** Nothing is to be done for it any more. */
  forget(key: CoordinatorKey, stamp: number): void;
}

/** The map of a coordinator, with the changes of the turn that runs. */
export type TurnMap = MapArea & Pick<MapClient, 'subscribe' | 'transact'>;

/** Which operations of a client's storage hold its coordinator's gate. */
export type Hold = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** What coordinators are given by whoever wires them. */
export interface Surroundings<Client> {
  readonly clock: Clock;
  readonly rounds: Rounds;
  readonly alarms: AlarmBook;
  openStore(key: CoordinatorKey): Store;
  openStorage(key: CoordinatorKey, map: TurnMap, hold: Hold): LiveStorage<Client>;
}

export type { CoordinatorKey };
