// One sync access handle on a file of 16 MiB, as a database in WASM uses it.
export const contestants = ['limit', 'holdfast', 'memfs', 'chromium'];
export const scope = 'worker';

export const works = [
  { id: 'read4k', label: 'read 4 KiB', chart: 'sync access handle: read 4 KiB' },
  { id: 'write4k', label: 'write 4 KiB', chart: 'sync access handle: write 4 KiB', durability: 'in the kernel' },
  { id: 'read1m', label: 'read 1 MiB' },
  { id: 'write1m', label: 'write 1 MiB', durability: 'in the kernel' },
  { id: 'getSize', label: 'getSize' },
  { id: 'open', label: 'createSyncAccessHandle + close', chart: 'createSyncAccessHandle + close' },
];

const size = 16 * 2 ** 20;
const small = new Uint8Array(4096).fill(1);
const large = new Uint8Array(2 ** 20).fill(2);

export function transfers(handle) {
  const repeat = (call, length) => (n) => {
    for (let i = 0; i < n; i += 1) call({ at: (i * length) % size });
  };
  return {
    read4k: repeat((options) => handle.read(small, options), 4096),
    write4k: repeat((options) => handle.write(small, options), 4096),
    read1m: repeat((options) => handle.read(large, options), 2 ** 20),
    write1m: repeat((options) => handle.write(large, options), 2 ** 20),
    getSize: (n) => {
      for (let i = 0; i < n; i += 1) handle.getSize();
    },
  };
}

export async function operations({ getDirectory }) {
  const root = await getDirectory();
  const file = await root.getFileHandle('sync', { create: true });
  const other = await root.getFileHandle('other', { create: true });
  const handle = await file.createSyncAccessHandle();
  for (let at = 0; at < size; at += large.length) handle.write(large, { at });
  return {
    ...transfers(handle),
    open: async (n) => {
      for (let i = 0; i < n; i += 1) (await other.createSyncAccessHandle()).close();
    },
  };
}
