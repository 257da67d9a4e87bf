// A coordinator behind each framework: node counters.mjs express|fastify|hono|fetch. Prints its address.
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { Coordinator, Coordinators } from 'holdfast/coordinator';

class Counter extends Coordinator {
  increment() {
    const n = Number(this.localStorage.getItem('n') ?? 0) + 1;
    this.localStorage.setItem('n', String(n));
    return n;
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    return Response.json({ id: pathname.slice(3), method: request.method, text: await request.text(), n: this.increment() }, { status: 201 });
  }
}

const origin = 'https://app.example';
const host = new StorageHost({ root: process.env.ROOT });
const counters = new Coordinators(host, { Counter });
const counter = (id) => counters.get(origin, Counter, id);

async function listenByHono(fetch) {
  const { serve } = await import('@hono/node-server');
  serve({ fetch, port: 0 }, ({ port }) => console.log(`http://localhost:${port}`));
}

const frameworks = {
  async express() {
    const { default: express } = await import('express');
    const app = express();
    app.use(express.text({ type: '*/*' }));
    app.all('/n/:id', async ({ params, method, body }, response) => {
      response.status(201).json({ id: params.id, method, text: body, n: await counter(params.id).increment() });
    });
    const server = app.listen(0, () => console.log(`http://localhost:${server.address().port}`));
  },

  async fastify() {
    const { default: fastify } = await import('fastify');
    const app = fastify();
    app.all('/n/:id', async ({ params, method, body }, reply) => {
      reply.code(201);
      return { id: params.id, method, text: body, n: await counter(params.id).increment() };
    });
    console.log(await app.listen({ port: 0 }));
  },

  async hono() {
    const { Hono } = await import('hono');
    const app = new Hono();
    app.all('/n/:id', (context) => counter(context.req.param('id')).fetch(context.req.raw));
    await listenByHono(app.fetch);
  },

  /** As a runtime or a server takes it; the origin is the one that the request is handled for. */
  async fetch() {
    await listenByHono((request) => host.handle(origin, request, () => counters.get(Counter, new URL(request.url).pathname.slice(3)).fetch(request)));
  },
};

await frameworks[process.argv[2]]();
