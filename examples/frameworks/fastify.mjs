// Fastify: each request is a client of its own. Run: node fastify.mjs
import fastify from 'fastify';
import { StorageHost, install } from 'holdfast';

const host = new StorageHost({ root: process.env.ROOT ?? './data' });
install({ host });

const app = fastify();
// After the body was read: what reads it calls on in a context of its own.
app.addHook('preHandler', (request, reply, done) => host.handle('https://app.example', request.raw, reply.raw, () => done()));
app.post('/visits', async (request) => {
  sessionStorage.setItem('visitor', request.body.visitor); // this request's own
  localStorage.setItem('visits', Number(localStorage.getItem('visits')) + 1); // everybody's
  return { visitor: sessionStorage.getItem('visitor'), visits: localStorage.getItem('visits') };
});

console.log(await app.listen({ port: process.env.PORT ?? 3000 }));
