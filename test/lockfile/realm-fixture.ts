import { StorageHost, type StorageHostOptions } from '../../src/index.ts';

// A host in a process of its own that does what it is told.

export interface RealmOptions {
  readonly root: string;
  readonly origin: string;
  readonly host: Partial<StorageHostOptions>;
}

const options = JSON.parse(process.argv[2] ?? '{}') as RealmOptions;
const client = new StorageHost({ root: options.root, ...options.host }).origin(options.origin);
const heard: unknown[] = [];

export const commands = {
  get: (key: string): string | null => client.localStorage.getItem(key),
  set: (key: string, value: string): void => client.localStorage.setItem(key, value),
  /** Writes `<number> xxx…` to four keys in turn. */
  fill(prefix: string, writes: number, size: number): void {
    for (let number = 0; number < writes; number++) client.localStorage.setItem(`${prefix}-${number % 4}`, `${number} ${'x'.repeat(size)}`);
  },
  setMany(prefix: string, keys: number): void {
    for (let number = 0; number < keys; number++) client.localStorage.setItem(`${prefix}-${number}`, 'v');
  },
  listen(): void {
    client.addEventListener('storage', (event) => {
      const { key, oldValue, newValue } = event as Event & Record<string, unknown>;
      heard.push([key, oldValue, newValue]);
    });
  },
  heard: (): unknown[] => heard,
  /** Adds one to a number, under a lock, again and again. */
  async count(key: string, times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await client.locks.request(key, async () => {
        const before = Number(client.localStorage.getItem(key));
        await null;
        client.localStorage.setItem(key, String(before + 1));
      });
    }
  },
  /** Takes a lock for good. */
  hold: (name: string): Promise<void> => new Promise((resolve) => {
    void client.locks.request(name, () => new Promise(() => resolve()));
  }),
};

interface Call {
  readonly call: number;
  readonly name: keyof typeof commands;
  readonly args: unknown[];
}

async function answer({ call, name, args }: Call): Promise<void> {
  try {
    const result: unknown = await Reflect.apply(commands[name], commands, args);
    process.send?.({ call, result });
  } catch (error) {
    process.send?.({ call, error: String(error) });
  }
}

process.on('message', (message) => void answer(message as Call));
process.on('disconnect', () => process.exit());
