import type { Locator } from '../disk/locator.ts';
import type { FileMeter } from '../file-system/file-system.ts';
import * as channels from '../runtime/channels.ts';
import type { Counts, Meter } from './meter.ts';

/** Counts and tells what one origin does with files. */
export class FilesMeter implements FileMeter {
  readonly #meter: Meter;
  readonly #counts: Counts['files'];

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#counts = meter.counts.files;
  }

  opened(): void {
    this.#counts.opened += 1;
  }

  read(bytes: number): void {
    this.#counts.reads += 1;
    this.#counts.bytesRead += bytes;
  }

  staged(bytes: number): void {
    this.#counts.writes += 1;
    this.#counts.bytesWritten += bytes;
  }

  written(file: Locator, bytes: number): void {
    this.staged(bytes);
    if (channels.writes.hasSubscribers) this.#fileWritten('write', file, { bytes });
  }

  replaced(file: Locator): void {
    if (channels.writes.hasSubscribers) this.#fileWritten('replace', file, {});
  }

  #fileWritten(operation: string, file: Locator, facts: object): void {
    this.#meter.tell(channels.writes, { area: 'files', operation, path: pathOf(file), ...facts });
  }

  locked(file: Locator, mode: string, granted: boolean): void {
    if (!granted) this.#counts.refused += 1;
    if (!channels.locks.hasSubscribers) return;
    this.#meter.tell(channels.locks, { kind: 'file', event: granted ? 'granted' : 'refused', path: pathOf(file), mode });
  }
}

function pathOf(file: Locator): string {
  return `/${file.join('/')}`;
}
