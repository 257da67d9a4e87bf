// Uncontended locks. Node's and Deno's end at the process; Holdfast's reach every process of the root.
export const contestants = ['holdfast', 'node', 'deno', 'chromium'];
export const scope = 'worker';

export const works = [
  { id: 'request', label: 'locks.request, uncontended', chart: 'locks.request' },
  { id: 'requestAmong', label: '… while 1,000 others are held' },
  { id: 'query', label: 'locks.query, 1,000 held', most: 200 },
];

const nothing = () => {};
const request = (locks) => async (n) => {
  for (let i = 0; i < n; i += 1) await locks.request('free', nothing);
};

export async function operations({ locks }) {
  const holdMany = async (work) => {
    let releaseAll;
    const until = new Promise((resolve) => (releaseAll = resolve));
    const held = [];
    await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        new Promise((granted) => held.push(locks.request(`held ${index}`, () => (granted(), until)))),
      ),
    );
    try {
      await work();
    } finally {
      releaseAll();
      await Promise.all(held);
    }
  };
  const among = (measured) => ({
    run: async (n) => {
      let nanoseconds;
      await holdMany(async () => {
        const start = performance.now();
        await measured(n);
        nanoseconds = (performance.now() - start) * 1e6;
      });
      return nanoseconds;
    },
  });
  return {
    request: request(locks),
    requestAmong: among(request(locks)),
    query: among(async (n) => {
      for (let i = 0; i < n; i += 1) await locks.query();
    }),
  };
}
