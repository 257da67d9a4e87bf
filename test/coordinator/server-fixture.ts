/** A process that serves coordinators: a register with compare-and-set, and a counter whose runs it tells. */
import fs from 'node:fs';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';

export class Register extends Coordinator {
  #runs(): void {
    // One line for each run of a handler that changes something: exactly one for each call is what is promised.
    const { call } = this.state;
    const runs = JSON.parse(this.localStorage.getItem('runs') ?? '{}') as Record<string, number>;
    if (call !== undefined) runs[call.id] = (runs[call.id] ?? 0) + 1;
    this.localStorage.setItem('runs', JSON.stringify(runs));
  }

  write(value: number): void {
    this.localStorage.setItem('value', String(value));
  }

  read(): number {
    return Number(this.localStorage.getItem('value') ?? 0);
  }

  increment(): number {
    const next = this.read() + 1;
    this.localStorage.setItem('value', String(next));
    return next;
  }

  async slowIncrement(): Promise<number> {
    const before = this.read();
    await this.state.blockConcurrencyWhile(() => new Promise((resolve) => setTimeout(resolve, 1)));
    this.localStorage.setItem('value', String(before + 1));
    return before + 1;
  }

  counted(): number {
    this.#runs();
    return this.increment();
  }

  runs(): Record<string, number> {
    return JSON.parse(this.localStorage.getItem('runs') ?? '{}') as Record<string, number>;
  }

  pid(): number {
    return process.pid;
  }

  /** Its first turn is on disk when it hangs, so that nobody else tries it. */
  async hang(milliseconds: number): Promise<void> {
    this.localStorage.setItem('hung', '1');
    await this.state.wait(new Promise((resolve) => setTimeout(resolve, 1)));
    const end = Date.now() + milliseconds;
    while (Date.now() < end);
  }

  async relay(name: string): Promise<number> {
    return peer().get(ORIGIN, Register, name).increment();
  }

  setAlarm(at: number): void {
    this.state.setAlarm(at);
  }

  override alarm(): void {
    this.localStorage.setItem('alarms', String(this.alarms() + 1));
  }

  alarms(): number {
    return Number(this.localStorage.getItem('alarms') ?? 0);
  }
}

export const ORIGIN = 'https://app.example';

let own: Coordinators | undefined;

/** What the coordinators here call others by. */
export function callBy(coordinators: Coordinators): void {
  own = coordinators;
}

function peer(): Coordinators {
  if (own === undefined) throw new Error('nothing is served here');
  return own;
}

/** For so many milliseconds nothing can be written, or only a part. */
function fillDisk(milliseconds: number): void {
  const { writeSync } = fs;
  if (Object.hasOwn(writeSync, 'refuses')) return;
  const full = (descriptor: number, bytes: Uint8Array, offset: number, length: number, position: number): number => {
    if (Math.random() < 0.5 && length > 8) return writeSync(descriptor, bytes, offset, length >> 1, position);
    throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  };
  fs.writeSync = Object.assign(full, { refuses: true }) as unknown as typeof fs.writeSync;
  setTimeout(() => void (fs.writeSync = writeSync), milliseconds);
}

if (process.argv[2] === 'serve') {
  const [, , , root = '', durability = 'relaxed'] = process.argv;
  const host = new StorageHost({ root, durability: durability as 'relaxed', ...encrypted });
  own = new Coordinators(host, { Register }, { suspectAfter: 400 });
  process.stdout.write('ready\n');
  process.on('SIGUSR2', () => fillDisk(100 + Math.random() * 200));
  const stay = setInterval(() => undefined, 1000);
  process.on('SIGTERM', () => {
    void peer()
      .close()
      .then(() => host.close())
      .then(() => {
        // Nothing else may keep this process alive.
        clearInterval(stay);
        process.removeAllListeners('disconnect');
        process.disconnect?.();
      });
  });
  process.on('disconnect', () => process.exit());
}
