// A Durable Object that does what the coordinator of ../coordinator.mjs does.
import { DurableObject } from 'cloudflare:workers';

export class Counter extends DurableObject {
  async read() {
    return (await this.ctx.storage.get('n')) ?? 0;
  }

  async increment() {
    const next = ((await this.ctx.storage.get('n')) ?? 0) + 1;
    this.ctx.storage.put('n', next);
    return next;
  }
}

export default {
  async fetch(request, { COUNTER }) {
    const { pathname, searchParams } = new URL(request.url);
    const method = pathname.slice(1);
    const counter = COUNTER.get(COUNTER.idFromName('counter'));
    let result;
    for (let left = Number(searchParams.get('times') ?? 1); left > 0; left -= 1) result = await counter[method]();
    return new Response(String(result));
  },
};
