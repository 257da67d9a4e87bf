import fs from 'node:fs';
import path from 'node:path';
import { ReadableStream } from 'node:stream/web';
import { COORDINATORS } from '../disk/coordinator/coordinator-names.ts';
import { pathOfOrigin } from '../disk/maintenance/replace-origin.ts';
import { bucketsOf, keysOf } from '../disk/root/origins.ts';
import type { PlaceKeys } from '../disk/place.ts';
import { traceBucket } from '../disk/survey/trace.ts';
import { clearInterval, setInterval, type Timer } from '../runtime/timers.ts';
import type { Census } from './census.ts';
import type { Context } from './context.ts';
import { Refused } from './failure.ts';
import type { News, Topic } from './messages.ts';

/** How often it is looked whether anything was written, in milliseconds. */
const LOOK_MS = 300;

/** A line now and then keeps connections open, and shows when one is dead. */
const LOOKS_PER_LINE = 50;

/** Pages that listen at once. */
const MOST_LISTENERS = 64;

type Traces = Partial<Record<Topic, string>>;

interface Listener {
  readonly origin: string | null;
  readonly tell: (line: string) => void;
  traces: Traces;
  census: number;
}

/**
 * Tells pages what others have written, by names, sizes and times of what is written when anything changes: so one look
 * for each origin that is shown, whatever its panels, and nothing is opened, subscribed to or kept. While nobody listens
 * nothing is looked at.
 */
export class Live {
  readonly #context: Context;
  readonly #listeners = new Set<Listener>();
  #timer: Timer | null = null;
  #looks = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Server-sent events, one for each look that found something. https://html.spec.whatwg.org/multipage/server-sent-events.html */
  listen(origin: string | null, signal: AbortSignal): ReadableStream<Uint8Array> {
    if (this.#listeners.size >= MOST_LISTENERS) throw new Refused(503, 'busy', 'Too many pages listen already.');
    const encode = (line: string): Uint8Array => Buffer.from(line);
    let listener: Listener | undefined;
    const end = (): void => this.#remove(listener);
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        const traces = origin === null ? {} : this.#look(origin);
        listener = { origin, traces, census: this.#context.census.version, tell: (line) => controller.enqueue(encode(line)) };
        this.#add(listener);
        signal.addEventListener('abort', end);
        listener.tell('retry: 1000\n\n');
      },
      cancel: end,
    });
  }

  close(): void {
    for (const listener of this.#listeners) this.#remove(listener);
  }

  #add(listener: Listener): void {
    this.#listeners.add(listener);
    if (this.#timer !== null) return;
    this.#timer = setInterval(() => this.#lookAll(), LOOK_MS);
    this.#timer.unref();
  }

  #remove(listener: Listener | undefined): void {
    if (listener === undefined) return;
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #lookAll(): void {
    this.#looks += 1;
    const { census } = this.#context;
    census.wake();
    const looked = new Map<string, Traces>();
    for (const listener of this.#listeners) {
      const { origin } = listener;
      if (origin !== null && !looked.has(origin)) looked.set(origin, this.#look(origin));
      const traces = origin === null ? {} : (looked.get(origin) ?? {});
      this.#tell(listener, traces, census);
    }
  }

  #tell(listener: Listener, traces: Traces, census: Census): void {
    const topics = Object.keys({ ...listener.traces, ...traces }) as Topic[];
    const changed: Topic[] = topics.filter((topic) => traces[topic] !== listener.traces[topic]);
    if (changed.length > 0) changed.push('usage');
    if (listener.census !== census.version) changed.push('origins');
    listener.traces = traces;
    listener.census = census.version;
    if (changed.length > 0) listener.tell(`data: ${JSON.stringify({ changed } satisfies News)}\n\n`);
    else if (this.#looks % LOOKS_PER_LINE === 0) listener.tell(':\n\n');
  }

  /** Nothing where it is gone, or cannot be read: that is a change, too. */
  #look(origin: string): Traces {
    try {
      return traceOrigin(pathOfOrigin(this.#context.root, origin), keysOf(this.#context.root, origin));
    } catch {
      return {};
    }
  }
}

function traceOrigin(place: string, keys: PlaceKeys | undefined): Traces {
  const traces: Traces = {};
  for (const bucket of bucketsOf(place, keys)) {
    const found = traceBucket(bucket.path);
    for (const [topic, trace] of Object.entries(found)) traces[topic as Topic] = `${traces[topic as Topic] ?? ''}|${trace}`;
  }
  return { ...traces, sync: `${traces.items}${traces.files}`, coordinators: traceCoordinators(path.join(place, COORDINATORS)) };
}

/** Coordinators that are looked at: of more, the rest is seen when somebody looks. */
const MOST_COORDINATORS = 500;

function traceCoordinators(directory: string): string {
  const traces: string[] = [];
  for (const className of namesIn(directory)) {
    for (const name of namesIn(path.join(directory, className))) {
      if (traces.length >= MOST_COORDINATORS) return traces.join();
      const turns = path.join(directory, className, name, 'turns');
      traces.push(`${className}/${name}`, ...namesIn(turns).map((file) => traceFile(path.join(turns, file))));
    }
  }
  return traces.join();
}

function traceFile(file: string): string {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.size} ${stats.mtimeMs}`;
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
