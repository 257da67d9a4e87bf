// Fakes the global timers and clocks as vitest, Jest and sinon do: nothing ever comes, and time stands still.
const timer = { ref: () => timer, unref: () => timer, hasRef: () => true, refresh: () => timer };
for (const name of ['setTimeout', 'setInterval', 'setImmediate']) globalThis[name] = () => timer;
for (const name of ['clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask']) globalThis[name] = () => undefined;
globalThis.Date = class Date extends globalThis.Date {
  constructor(...args) {
    super(...(args.length === 0 ? [0] : args));
  }
  static now = () => 0;
};
Object.defineProperty(performance, 'now', { value: () => 0, writable: true, configurable: true });
