import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import type { Stub } from '../../src/host/coordinator/index.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';
import type { Canaries } from './parts.ts';

const ORIGIN = 'https://a.example';

/** Stores in all ways that a coordinator has. */
export class Keeper extends Coordinator {
  set(key: string, value: string): string {
    this.localStorage.setItem(key, value);
    return value;
  }

  get(key: string): string | null {
    return this.localStorage.getItem(key);
  }

  count(): number {
    const next = Number(this.localStorage.getItem('count') ?? 0) + 1;
    this.localStorage.setItem('count', String(next));
    return next;
  }

  async writeFile(name: string, text: string): Promise<void> {
    const handle = await (await this.storage.getDirectory()).getFileHandle(name, { create: true });
    const writable = await handle.createWritable();
    await writable.write(text);
    await writable.close();
  }

  async readFile(name: string): Promise<string> {
    return (await (await (await this.storage.getDirectory()).getFileHandle(name)).getFile()).text();
  }

  lock(name: string): Promise<string> {
    return this.locks.request(name, () => name);
  }

  async respond(url: string, body: string): Promise<string | undefined> {
    const cache = await this.state.storage.caches.open(body);
    await cache.put(url, new Response(body));
    return (await cache.match(url))?.text();
  }

  setAlarm(time: number): void {
    this.state.setAlarm(time);
  }

  getAlarm(): number | null {
    return this.state.getAlarm();
  }

  override alarm(): void {
    this.localStorage.setItem('alarms', String(this.alarms() + 1));
  }

  alarms(): number {
    return Number(this.localStorage.getItem('alarms') ?? 0);
  }

  fail(message: string): never {
    this.localStorage.setItem('failed', message);
    throw new RangeError(message);
  }

  pid(): number {
    return process.pid;
  }
}

const open: (() => Promise<void>)[] = [];

/** Coordinators of one class of a host, until they are closed. */
export function keeperOf(host: StorageHost, className: string, origin = ORIGIN): { keeper(name: string, origin?: string): Stub<Keeper>; close(): Promise<void> } {
  const coordinators = new Coordinators(host, { [className]: Keeper }, { suspectAfter: 1_000 });
  const close = (): Promise<void> => coordinators.close();
  open.push(close);
  return { keeper: (name, of = origin) => coordinators.get(of, className, name) as unknown as Stub<Keeper>, close };
}

export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((close) => close()));
}

/** What a coordinator was filled with. */
export interface Filled {
  readonly className: string;
  readonly name: string;
  readonly item: string;
  readonly value: string;
  readonly file: string;
  readonly alarm: number;
}

/** An item, a file and an alarm of a coordinator that nobody runs then. */
export async function filled(host: StorageHost, canaries: Pick<Canaries, 'new'>): Promise<Filled> {
  const alarm = Date.now() + 1e7;
  const [className = '', name = '', item = '', value = '', file = ''] = Array.from({ length: 5 }, () => canaries.new());
  const { keeper, close } = keeperOf(host, className);
  await keeper(name).set(item, value);
  await keeper(name).writeFile(file, value);
  await keeper(name).setAlarm(alarm);
  await close();
  return { className, name, item, value, file, alarm };
}
