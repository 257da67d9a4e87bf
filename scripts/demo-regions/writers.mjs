// The writers of one process: on keys and files of its own, and on those that all regions write to.
import { setTimeout as delay } from 'node:timers/promises';
import { fileStep, KEYS, ownKey, stamped } from './ledger.mjs';

/** Milliseconds between two writes of each kind. */
const PACE = { key: 20, file: 120, count: 250 };
const SHARED_KEYS = 10;
const SHARED_FILES = 4;

export class Writers {
  phase = 'start';
  /** Of the ledger: steps that are done. */
  #done = { keys: 0, files: 0 };
  #writes = 0;
  #fileWrites = 0;
  #increments = 0;
  #refused = 0;
  #app;
  #region;
  #writer;
  #tell;
  #ending;
  #running = [];

  /** @param tell is told of the ledger's steps as they are done */
  constructor(app, region, writer, tell) {
    this.#app = app;
    this.#region = region;
    this.#writer = writer;
    this.#tell = tell;
    // As an application does that has been told.
    app.sync.addEventListener('syncrejected', ({ detail }) => app.sync.acknowledge(detail));
  }

  get counts() {
    return { done: this.#done, writes: this.#writes, fileWrites: this.#fileWrites, increments: this.#increments, refused: this.#refused };
  }

  start() {
    this.#ending = new AbortController();
    this.#running = [
      this.#repeat(PACE.key, () => this.#writeKeys()),
      this.#repeat(PACE.file, () => this.#writeFiles()),
      this.#repeat(PACE.count, () => this.#increment()),
    ];
  }

  /** Resolves when what was begun is done. */
  async pause() {
    this.#ending.abort();
    await Promise.all(this.#running);
  }

  async #repeat(pace, work) {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await work();
      // Not in step with the others.
      await delay(pace * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    }
  }

  #writeKeys() {
    const { localStorage } = this.#app;
    const step = this.#done.keys + 1;
    localStorage.setItem(ownKey(this.#writer, step), stamped(this.#writer, step, this.phase));
    if (step > KEYS) localStorage.removeItem(ownKey(this.#writer, step - KEYS));
    this.#done.keys = step;
    this.#tell(this.#done);
    const shared = `shared/${Math.floor(Math.random() * SHARED_KEYS)}`;
    if (step % 20 === 0) localStorage.removeItem(shared);
    else localStorage.setItem(shared, stamped(this.#writer, step, this.phase));
    this.#writes += step > KEYS ? 3 : 2;
  }

  async #writeFiles() {
    const root = await this.#app.storage.getDirectory();
    const step = this.#done.files + 1;
    const { name, content } = fileStep(this.#writer, step);
    const own = await root.getDirectoryHandle('own', { create: true });
    if (content === null) await own.removeEntry(name).catch(ignoreAbsence);
    else await write(own, name, content);
    this.#done.files = step;
    this.#tell(this.#done);
    const shared = await root.getDirectoryHandle('shared', { create: true });
    await write(shared, String(Math.floor(Math.random() * SHARED_FILES)), stamped(this.#writer, step, this.phase));
    this.#fileWrites += 2;
  }

  /** One more on a counter of all regions, where nobody was faster; what is lost there was never counted. */
  async #increment() {
    const { localStorage, sync } = this.#app;
    const before = localStorage.getItem('counter');
    const after = `${Number.parseInt(before ?? '0') + 1} ${this.#writer} ${this.#increments + this.#refused}`;
    const isCounted = await sync.compareAndSet('counter', before, after);
    this.#writes += 1;
    if (isCounted) this.#increments += 1;
    else this.#refused += 1;
  }
}

async function write(directory, name, content) {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
  await writable.write(content);
  await writable.close();
}

function ignoreAbsence(error) {
  if (error.name !== 'NotFoundError') throw error;
}
