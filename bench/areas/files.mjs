// Whole files and names, one call after another.
export const contestants = ['limit', 'holdfast', 'node-opfs', 'memfs', 'adapter', 'chromium'];
export const scope = 'worker';

export const works = [
  { id: 'replace4k', label: 'createWritable + write + close, 4 KiB, replace', chart: 'createWritable + write 4 KiB + close', durability: 'atomic, in the kernel' },
  { id: 'create4k', label: '… 4 KiB, into a new file', durability: 'atomic, in the kernel' },
  { id: 'replace1m', label: '… 1 MiB, replace', durability: 'atomic, in the kernel' },
  { id: 'create1m', label: '… 1 MiB, into a new file', durability: 'atomic, in the kernel' },
  { id: 'text4k', label: 'getFile + text, 4 KiB', chart: 'getFile + text, 4 KiB' },
  { id: 'buffer1m', label: 'getFile + arrayBuffer, 1 MiB' },
  { id: 'nameCreate', label: 'getFileHandle, create', chart: 'getFileHandle, create' },
  { id: 'nameExisting', label: 'getFileHandle, existing' },
  { id: 'iterate', label: 'iterate 10,000 entries, per entry', chart: 'iterate 10,000 entries', most: 1, per: 10_000 },
  { id: 'removeEntry', label: 'removeEntry of a file' },
  { id: 'removeTree', label: 'removeEntry of 10,000 files, recursive', chart: 'removeEntry of 10,000 files', most: 1, rounds: 3, unit: 'ms' },
];

const small = new Uint8Array(4096).fill(1);
const large = new Uint8Array(2 ** 20).fill(2);

async function write(file, bytes) {
  const writable = await file.createWritable();
  await writable.write(bytes);
  await writable.close();
}

async function fill(root, name, count) {
  const directory = await root.getDirectoryHandle(name, { create: true });
  for (let i = 0; i < count; i += 1) await directory.getFileHandle(`f${i}`, { create: true });
  return directory;
}

export async function operations({ getDirectory }) {
  const root = await getDirectory();
  const file = (name) => root.getFileHandle(name, { create: true });
  const kept = { small: await file('small'), large: await file('large') };
  await write(kept.small, small);
  await write(kept.large, large);
  const many = await fill(root, 'many', 10_000);
  const fresh = await root.getDirectoryHandle('fresh', { create: true });
  let counter = 0;

  const createAndWrite = (bytes) => async (n) => {
    for (let i = 0; i < n; i += 1) {
      await write(await fresh.getFileHandle(`n${(counter += 1)}`, { create: true }), bytes);
    }
  };
  const replace = (handle, bytes) => async (n) => {
    for (let i = 0; i < n; i += 1) await write(handle, bytes);
  };
  return {
    replace4k: replace(kept.small, small),
    create4k: createAndWrite(small),
    replace1m: replace(kept.large, large),
    create1m: createAndWrite(large),
    text4k: async (n) => {
      for (let i = 0; i < n; i += 1) await (await kept.small.getFile()).text();
    },
    buffer1m: async (n) => {
      for (let i = 0; i < n; i += 1) await (await kept.large.getFile()).arrayBuffer();
    },
    nameCreate: async (n) => {
      for (let i = 0; i < n; i += 1) await fresh.getFileHandle(`c${(counter += 1)}`, { create: true });
    },
    nameExisting: async (n) => {
      for (let i = 0; i < n; i += 1) await many.getFileHandle(`f${i % 10_000}`);
    },
    iterate: async () => {
      let seen = 0;
      for await (const _ of many.entries()) seen += 1;
      if (seen !== 10_000) throw new Error(`iterated ${seen} entries`);
    },
    removeEntry: {
      prepare: async (n) => {
        for (let i = 0; i < n; i += 1) await fresh.getFileHandle(`r${i}`, { create: true });
      },
      run: async (n) => {
        for (let i = 0; i < n; i += 1) await fresh.removeEntry(`r${i}`);
      },
    },
    removeTree: {
      prepare: () => fill(root, 'tree', 10_000),
      run: () => root.removeEntry('tree', { recursive: true }),
    },
  };
}
