import http from 'node:http';
import { Readable } from 'node:stream';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { embeddedHub } from '../../src/sync/index.ts';

/** A process of a region: [root, url of the hub, its token, token of regions, port]. Says when it listens. */
const [root = '', url = '', token = '', shown = '', port = ''] = process.argv.slice(2);

class Counter extends Coordinator {
  increment(): number {
    const next = Number(this.localStorage.getItem('n') ?? 0) + 1;
    this.localStorage.setItem('n', String(next));
    return next;
  }
}

const hub = embeddedHub({ url, token });
const coordinators = new Coordinators(new StorageHost({ root }), { Counter }, { regions: { hub, region: 'eu', token: shown, peers: {} } });
const server = http.createServer((incoming, outgoing) => {
  const request = new Request('http://127.0.0.1/', { method: 'POST', headers: incoming.headers as Record<string, string>, body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } as RequestInit);
  void coordinators.handler(request).then(async (response) => {
    outgoing.writeHead(response.status);
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening\n'));
