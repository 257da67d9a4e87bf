// A handler as one would write it for a browser: it knows nothing of Holdfast.
//
//   node --import holdfast/globals examples/serverless.mjs
import { pathToFileURL } from 'node:url';

/** Counts in `localStorage`, keeps the notes that are posted to it in the Origin Private File System. */
export default async function handler(request) {
  localStorage.visits = Number(localStorage.visits ?? 0) + 1;

  const root = await navigator.storage.getDirectory();
  const notes = await root.getDirectoryHandle('notes', { create: true });

  if (request.method === 'POST') {
    const note = await notes.getFileHandle(`${crypto.randomUUID()}.txt`, { create: true });
    const writable = await note.createWritable();
    await (request.body ?? new Blob().stream()).pipeTo(writable);
  }

  const names = [];
  for await (const name of notes.keys()) names.push(name);
  return Response.json({ visits: Number(localStorage.visits), notes: names.sort() });
}

// Run as a program, it answers two requests: call it twice to see that it remembers.
if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const post = new Request('http://localhost/', { method: 'POST', body: `It is ${new Date().toISOString()}` });
  await handler(post);
  const response = await handler(new Request('http://localhost/'));
  console.log(await response.json());
}
