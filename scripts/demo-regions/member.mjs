// One process of a region: does what its parent says, by IPC. argv: the region's root, the region, the writer's name.
import { StorageHost } from 'holdfast';
import { openHub } from '../hubs.mjs';
import { contentOf } from './content.mjs';
import { Readers } from './readers.mjs';
import { Writers } from './writers.mjs';

const [root, region, writer] = process.argv.slice(2);
const burstValue = 'x'.repeat(100);

let app;
let writers;
let readers;

const commands = {
  /** The engine holds a password, which has no business among the arguments of a process. */
  async open(engine) {
    app = new StorageHost({ root, sync: { hub: openHub(engine), region } }).origin('https://demo.example');
    readers = await Readers.open(app, writer);
    writers = new Writers(app, region, writer, (done) => process.send({ done }));
  },
  write: () => writers.start(),
  phase: (phase) => void (writers.phase = phase),
  pause: () => writers.pause(),
  status: () => app.sync.status(),
  flush: () => app.sync.flush(),
  caughtUp: () => app.sync.caughtUp(),
  /** Seconds until so many writes, made at once, have come back in the hub's order. */
  async burst(count) {
    const start = performance.now();
    for (let i = 0; i < count; i += 1) app.localStorage.setItem(`burst/${writer}/${i}`, `${i} ${burstValue}`);
    await app.sync.flush();
    return (performance.now() - start) / 1000;
  },
  content: () => contentOf(app),
  async report() {
    const conflicts = (await app.sync.conflicts()).map(({ serial, locator, winner, lost }) => ({ serial, name: locator.join('/'), winner, loser: lost.region }));
    return { ...writers.counts, ...readers.counts, conflicts };
  },
};

process.on('message', async ({ id, what, argument }) => {
  try {
    process.send({ id, answer: await commands[what](argument) });
  } catch (error) {
    process.send({ id, error: error?.stack ?? String(error) });
  }
});
// Nobody is left behind when the parent dies; and Ctrl-C is the parent's affair.
process.on('disconnect', () => process.exit(1));
process.on('SIGINT', () => {});
