// Hono: each request is a client of its own. Run: node hono.mjs
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { StorageHost, install } from 'holdfast';

const host = new StorageHost({ root: process.env.ROOT ?? './data' });
install({ host });

const app = new Hono();
app.post('/visits', async (context) => {
  const { visitor } = await context.req.json();
  sessionStorage.setItem('visitor', visitor); // this request's own
  localStorage.setItem('visits', Number(localStorage.getItem('visits')) + 1); // everybody's
  return context.json({ visitor: sessionStorage.getItem('visitor'), visits: localStorage.getItem('visits') });
});

const fetch = (request) => host.handle('https://app.example', request, () => app.fetch(request));
serve({ fetch, port: Number(process.env.PORT ?? 3000) }, ({ port }) => console.log(`http://localhost:${port}`));
