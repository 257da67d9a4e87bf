import type { CoordinatorClass } from '../../src/host/coordinator/index.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';

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

const open: Coordinators[] = [];

/** Serves {@link Keeper} under a name. */
export function serve(host: StorageHost, className: string, Class: CoordinatorClass = Keeper): Coordinators {
  const coordinators = new Coordinators(host, { [className]: Class }, { suspectAfter: 1_000 });
  open.push(coordinators);
  return coordinators;
}

export async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((each) => each.close()));
}
