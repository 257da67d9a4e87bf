// The Cache API: whole responses, one call after another. `limit` is a file for each response, written beside and renamed
// into its place, and read whole: in a process that does nothing else, in one that has Holdfast's caches too, and with a
// Response made of what was read.
export const contestants = ['limit', 'limit-beside', 'limit-response', 'holdfast', 'chromium', 'deno'];
export const scope = 'worker';

const entries = 1000;
const large = 5;

export const works = [
  { id: 'put1k', label: 'put, 1 KiB, replace', chart: 'cache.put, 1 KiB', durability: 'whole or not at all, in the kernel' },
  { id: 'match1k', label: `match + arrayBuffer, 1 KiB, one of ${entries}`, chart: 'cache.match, 1 KiB' },
  { id: 'miss', label: 'match, nothing there' },
  { id: 'put1m', label: 'put, 1 MiB, replace', durability: 'whole or not at all, in the kernel' },
  { id: 'match1m', label: 'match + arrayBuffer, 1 MiB' },
];

const bodies = { '1k': new Uint8Array(1024).fill(1), '1m': new Uint8Array(2 ** 20).fill(2) };
const urlOf = (size, i) => `https://bench.example/${size}/${i}`;
const responseOf = (size) => new Response(bodies[size], { headers: { 'content-type': 'application/octet-stream', etag: '"1"' } });

export async function operations({ caches }) {
  if (caches === undefined) return {};
  const cache = await caches.open('bench');
  for (let i = 0; i < entries; i += 1) await cache.put(urlOf('1k', i), responseOf('1k'));
  for (let i = 0; i < large; i += 1) await cache.put(urlOf('1m', i), responseOf('1m'));

  // Who makes a Response has the runtime copy its body, which is no work of a cache's.
  const put = (size, count) => {
    let responses = [];
    return {
      prepare: (n) => {
        responses = Array.from({ length: n }, () => responseOf(size));
      },
      run: async () => {
        for (const [i, response] of responses.entries()) await cache.put(urlOf(size, i % count), response);
        responses = [];
      },
    };
  };
  const match = (size, count) => async (n) => {
    for (let i = 0; i < n; i += 1) {
      const bytes = await (await cache.match(urlOf(size, (i * 37) % count))).arrayBuffer();
      if (bytes.byteLength !== bodies[size].byteLength) throw new Error(`${bytes.byteLength} bytes`);
    }
  };
  return {
    put1k: put('1k', entries),
    match1k: match('1k', entries),
    miss: async (n) => {
      for (let i = 0; i < n; i += 1) if ((await cache.match(urlOf('none', i))) !== undefined) throw new Error('a response');
    },
    put1m: put('1m', large),
    match1m: match('1m', large),
  };
}
