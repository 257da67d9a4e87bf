import type { OriginSummary } from '../host/operations/types.ts';
import { wallClock } from '../runtime/timers.ts';
import type { Bytes, Sample } from './messages.ts';

/** Samples of one origin; when there are more, every second one goes. */
const MOST_SAMPLES = 512;

/** Origins that are remembered, the least recently changed forgotten first. */
const MOST_ORIGINS = 1024;

/** Nobody keeps on disk what an origin has taken: it is known from when the inspector began to look. */
export class History {
  readonly #samples = new Map<string, Sample[]>();

  note(origin: string, { usageDetails }: Pick<OriginSummary, 'usageDetails'>): void {
    const samples = this.#samples.get(origin) ?? [];
    const next = sampleOf(usageDetails);
    if (isSame(samples.at(-1), next)) return;
    samples.push(next);
    if (samples.length > MOST_SAMPLES) samples.splice(0, samples.length, ...thinned(samples));
    this.#samples.delete(origin);
    this.#samples.set(origin, samples);
    if (this.#samples.size > MOST_ORIGINS) for (const [oldest] of this.#samples) return void this.#samples.delete(oldest);
  }

  of(origin: string): readonly Sample[] {
    return this.#samples.get(origin) ?? [];
  }
}

function sampleOf({ localStorage, fileSystem, indexedDB, caches }: Bytes): Sample {
  return [wallClock(), localStorage, fileSystem, indexedDB, caches];
}

function isSame(before: Sample | undefined, next: Sample): boolean {
  return before !== undefined && next.every((bytes, index) => index === 0 || bytes === before[index]);
}

/** Of the older half every second one. */
function thinned(samples: readonly Sample[]): Sample[] {
  const half = samples.length >> 1;
  return samples.filter((_, index) => index >= half || index % 2 === 0);
}
