import '../../src/host/indexed-db/provided.ts';
import { StorageHost, type StorageClient } from '../../src/index.ts';

/*
 * Another process of a root, that does what it is told and says what it hears: lines of JSON on both sides.
 */

const [, , root = '', origin = ''] = process.argv;
const host = new StorageHost({ root });
let client: StorageClient = host.client(origin);
let release = (): void => {};
/** A handle that nobody has any more is closed. */
const handles: unknown[] = [];

const orders: Record<string, (...args: string[]) => unknown> = {
  set: (key = '', value = '') => client.localStorage.setItem(key, value),
  get: (key = '') => client.localStorage.getItem(key),
  listen: () => client.addEventListener('storage', (event) => say({ event: { key: event.key, newValue: event.newValue } })),
  lock: async (name = '') => {
    await new Promise<void>((held) => {
      void client.locks.request(name, () => {
        held();
        return new Promise<void>((resolve) => (release = resolve));
      });
    });
  },
  unlock: () => release(),
  open: async (name = '', content = '') => {
    const file = await (await client.storage.getDirectory()).getFileHandle(name, { create: true });
    const handle = await file.createSyncAccessHandle();
    handle.write(Buffer.from(content));
    handles.push(handle);
  },
  write: async (name = '', content = '') => {
    const file = await (await client.storage.getDirectory()).getFileHandle(name, { create: true });
    const writable = await file.createWritable();
    await writable.write(content);
    await writable.close();
  },
  read: async (name = '') => (await (await (await client.storage.getDirectory()).getFileHandle(name)).getFile()).text(),
  renew: () => {
    client.close();
    client = host.client(origin);
  },
};

function say(message: unknown): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

let rest = '';
process.stdin.setEncoding('utf8');
process.stdin.on('data', (text: string) => {
  const lines = (rest + text).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) void perform(JSON.parse(line) as string[]);
});
process.stdin.on('end', () => process.exit(0));

async function perform([order = '', ...args]: string[]): Promise<void> {
  try {
    say({ result: (await orders[order]?.(...args)) ?? null });
  } catch (error) {
    say({ error: (error as Error).name });
  }
}

say({ result: process.pid });
