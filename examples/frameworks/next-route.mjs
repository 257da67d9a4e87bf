// Next.js: app/visits/route.js. Each request is a client of its own; the host is kept when the module is loaded anew.
// `serverExternalPackages: ['holdfast']` in next.config.mjs leaves Holdfast as it is, instead of bundling it.
import { StorageHost, install } from 'holdfast';

const host = (globalThis.storageHost ??= new StorageHost({ root: process.env.ROOT ?? './data' }));
globalThis.storageInstalled ??= install({ host });

export const runtime = 'nodejs';

export const POST = (request) =>
  host.handle('https://app.example', request, async () => {
    const { visitor } = await request.json();
    sessionStorage.setItem('visitor', visitor); // this request's own
    localStorage.setItem('visits', Number(localStorage.getItem('visits')) + 1); // everybody's
    return Response.json({ visitor: sessionStorage.getItem('visitor'), visits: localStorage.getItem('visits') });
  });
