import timers from 'node:timers';
import { runtime } from './runtime.ts';

/*
 * What the product itself needs to go on: timers and clocks, taken from the runtime once, when this is loaded. A program
 * under test fakes the global ones, and often those of `node:timers`; waiting for a lock or a change must not wait for it
 * then. A lint rule forbids all others in this project.
 *
 * Where they were faked before this was loaded, they are looked for behind the fakes: see `genuine`. On Bun there is
 * nothing behind them: a program there must load Holdfast first.
 */

export type Timer = NodeJS.Timeout;

type Timers = Pick<typeof timers, 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'setImmediate'>;

const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = genuine();

export { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate };

/** Resolves after that many milliseconds; the process stays for it. */
export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}

/** Lets other work run; resolves in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Has the runtime report an exception, as one of an event listener would be. */
export function reportException(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

declare const Zone: { __symbol__(name: string): string };

/** zone.js keeps what it wraps under names of its own; the wrapped ones would wait for its zones, such as `fakeAsync`. */
function unwrapped(): Timers {
  if (!('Zone' in globalThis)) return timers;
  const original = <Name extends keyof Timers>(name: Name): Timers[Name] =>
    (Reflect.get(timers, Zone.__symbol__(name)) as Timers[Name] | undefined) ?? timers[name];
  return {
    setTimeout: original('setTimeout'),
    clearTimeout: original('clearTimeout'),
    setInterval: original('setInterval'),
    clearInterval: original('clearInterval'),
    setImmediate: original('setImmediate'),
  };
}

/** The runtime's timers; where even those of the module are fakes, as those of `node:test` are, made from its own class. */
function genuine(): Timers {
  const found = unwrapped();
  if (runtime !== 'node') return found;
  const probe = found.setTimeout(() => undefined, 1);
  found.clearTimeout(probe);
  // A documented, if old, property of Node's own.
  return typeof probe === 'object' && '_idleTimeout' in probe ? found : timersOfClass(timeoutClass());
}

type TimeoutClass = new (callback: (...args: unknown[]) => void, after: number, args: unknown[] | undefined, isRepeated: boolean, isRefed: boolean) => Timer;

/** Every idle limit of a socket is a genuine timer. Loaded only where it is needed. */
function timeoutClass(): TimeoutClass {
  const socket = new (process.getBuiltinModule('node:net').Socket)();
  socket.setTimeout(1000);
  const timer = Object.getOwnPropertySymbols(socket).map((key) => Reflect.get(socket, key) as unknown);
  socket.destroy();
  const found = timer.find((value) => typeof value === 'object' && value !== null && '_idleTimeout' in value);
  if (found === undefined) throw new Error('The timers of this realm were faked before Holdfast was loaded.');
  return (found as object).constructor as TimeoutClass;
}

/** `refresh` starts such a timer, and `close` ends it. */
function timersOfClass(Timeout: TimeoutClass): Timers {
  const start = (isRepeated: boolean) => (callback: (...args: unknown[]) => void, after = 1, ...args: unknown[]) =>
    new Timeout(callback, Math.max(1, after), args, isRepeated, true).refresh();
  const stop = (timer: Timer | undefined): void => void timer?.close();
  const [once, repeatedly] = [start(false), start(true)];
  const immediately = (callback: (...args: unknown[]) => void, ...args: unknown[]) => once(callback, 1, ...args);
  return { setTimeout: once, clearTimeout: stop, setInterval: repeatedly, clearInterval: stop, setImmediate: immediately } as unknown as Timers;
}

/** Milliseconds of a clock that never jumps; only differences mean something. */
export const uptime: () => number = monotonicClock();

/** Milliseconds since 1970. */
export const wallClock: () => number = genuineDate().now;

function monotonicClock(): () => number {
  // On Node it costs a start milliseconds to load the global `performance`, which no program may ever touch.
  if (runtime === 'node') return uptimeOfProcess;
  const { performance: clock } = globalThis;
  const { now } = clock;
  // A fake has it as an own property. The uptime is coarser here, but nobody fakes it.
  return Object.hasOwn(clock, 'now') ? uptimeOfProcess : () => Reflect.apply(now, clock, []);
}

function uptimeOfProcess(): number {
  return process.uptime() * 1000;
}

/** Fakes take the prototype of the genuine class, or inherit from that class. */
function genuineDate(): DateConstructor {
  const candidates = [Date, Date.prototype.constructor, Object.getPrototypeOf(Date), Object.getPrototypeOf(Date.prototype).constructor] as unknown[];
  const isGenuine = (value: unknown): boolean => typeof value === 'function' && 'now' in value && /^function Date\(\) \{\s+\[native code\]/.test(Function.prototype.toString.call(value));
  return (candidates.find(isGenuine) ?? Date) as DateConstructor;
}
