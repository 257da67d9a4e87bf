// What a visitor's session has is a storage bucket of its own, with an end: it goes by itself, and takes nothing else along.
//
//   node --import holdfast/globals examples/visitor-bucket.mjs [seconds]       (HOLDFAST_ROOT from the environment)
//
// Each run is a visit. One that comes within the time (60 seconds by default) goes on with the session of the last; a
// later one begins a new one.
const seconds = Number(process.argv[2] ?? 60);

// What lasts is in a bucket that never ends, and may take as much as there is.
const lasting = await navigator.storageBuckets.open('lasting', { persisted: true, durability: 'strict' });
const visits = await append(await lasting.getDirectory(), 'visits');

// Whoever opens a bucket that has ended gets a new one: there is nothing to clean up.
const session = await navigator.storageBuckets.open('session', { quota: 2 ** 20 });
const steps = await append(await session.getDirectory(), 'steps');

const cache = await session.caches.open('seen');
await cache.put('https://app.example/last', new Response(new Date().toISOString()));
await session.setExpires(Date.now() + seconds * 1000);

console.log(`visit ${visits}, step ${steps} of its session`);
console.log(`buckets: ${(await navigator.storageBuckets.keys()).join(', ')}`);

/** Adds a byte to a file. @returns how many there are */
async function append(directory, name) {
  const handle = await directory.getFileHandle(name, { create: true });
  const { size } = await handle.getFile();
  const writable = await handle.createWritable({ keepExistingData: true });
  await writable.write({ type: 'write', position: size, data: '.' });
  await writable.close();
  return size + 1;
}
