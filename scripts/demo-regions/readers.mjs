// What a process sees of the other regions: how late, how often, and whether in order.
import { FileSystemObserver } from 'holdfast';
import { microseconds, readStamp } from './ledger.mjs';

export class Readers {
  #events = 0;
  #observed = 0;
  /** Milliseconds until a write of another region was visible here, by what it was made amid. */
  #delays = {};
  /** Of each writer of another region: the last step seen, and the last one whose removal was. */
  #seen = new Map();
  /** Steps that came again, or after a later one. */
  #disorder = [];
  /** Steps that came after one that is not the one before them. */
  #gaps = [];
  #app;
  #writer;

  static async open(app, writer) {
    const readers = new Readers();
    readers.#app = app;
    readers.#writer = writer;
    app.addEventListener('storage', (event) => readers.#hear(event));
    const observer = new FileSystemObserver((records) => (readers.#observed += records.length));
    await observer.observe(await app.storage.getDirectory(), { recursive: true });
    return readers;
  }

  get counts() {
    return { events: this.#events, observed: this.#observed, delays: this.#delays, disorder: this.#disorder, gaps: this.#gaps };
  }

  #hear({ key, oldValue, newValue }) {
    this.#events += 1;
    const [kind] = key.split('/', 1);
    if (kind !== 'own' && kind !== 'shared') return;
    const stamp = readStamp(newValue ?? oldValue);
    if (regionOf(stamp.writer) === regionOf(this.#writer)) return;
    if (newValue !== null) (this.#delays[stamp.phase] ??= []).push((microseconds() - stamp.time) / 1000);
    if (kind === 'own') this.#note(stamp, newValue === null ? 'removed' : 'set');
  }

  /** Steps of one writer come one after another, each once. */
  #note({ writer, step }, what) {
    const before = this.#seen.get(`${what} ${writer}`);
    const found = before === undefined || step === before + 1 ? null : step > before ? this.#gaps : this.#disorder;
    found?.push({ of: `${what} ${writer}`, fault: `${this.#writer} saw that step ${step} of ${writer} was ${what} after step ${before}` });
    this.#seen.set(`${what} ${writer}`, step);
  }
}

const regionOf = (writer) => writer.replace(/-\d+$/, '');
