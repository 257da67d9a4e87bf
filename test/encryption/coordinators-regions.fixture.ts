// A process of an encrypted region, which calls coordinators that a hub keeps until it is killed; says on descriptor 3 what became of each call.
import fs from 'node:fs';
import http from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { CoordinatorError, Coordinators, type Stub } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { embeddedHub } from '../../src/sync/index.ts';
import { Keeper } from './coordinators.ts';

export interface RegionProcess {
  readonly root: string;
  /** Hexadecimal. */
  readonly key: string;
  readonly hub: string;
  readonly hubToken: string;
  readonly token: string;
  /** Where each region listens. */
  readonly ports: Readonly<Record<string, number>>;
  readonly region: string;
  readonly origin: string;
  readonly canary: string;
}

const { root, key, hub: url, hubToken, token, ports, region, origin, canary } = JSON.parse(process.argv[2] ?? '') as RegionProcess;

/** Says who has run it, too. */
class Counter extends Keeper {
  next(): [count: number, process: number] {
    const count = this.count();
    this.set(canary, `${canary} ${count} `.repeat(1 + (count % 40) * 20));
    this.setAlarm(Date.now() + 1e7 + count);
    return [count, process.pid];
  }
}

const others = Object.entries(ports).filter(([name]) => name !== region);
const peers = Object.fromEntries(others.map(([name, port]) => [name, { url: `http://127.0.0.1:${port}/`, token }]));
const host = new StorageHost({ root, encryption: { key: Uint8Array.from(Buffer.from(key, 'hex')) } });
const coordinators = new Coordinators(host, { [canary]: Counter }, { regions: { hub: embeddedHub({ url, token: hubToken }), region, token, peers, origin } });

async function answer(incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> {
  const request = new Request('http://127.0.0.1/', { method: 'POST', headers: incoming.headers as Record<string, string>, body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } as RequestInit);
  const response = await coordinators.handler(request);
  outgoing.writeHead(response.status).end(Buffer.from(await response.arrayBuffer()));
}

const say = (line: string): void => void fs.writeSync(3, `${line}\n`);

async function call(at: number): Promise<void> {
  say(`calling ${at}`);
  try {
    const [count, by] = await (coordinators.get(origin, canary, `${canary} ${at}`) as unknown as Stub<Counter>).next();
    say(`told ${at} ${count} ${by}`);
  } catch (error) {
    if (!(error instanceof CoordinatorError)) throw error;
    say(`failed ${at} ${error.outcome}`);
    await delay(20);
  }
}

http.createServer((incoming, outgoing) => void answer(incoming, outgoing)).listen(ports[region], '127.0.0.1');
for (let round = 0; ; round += 1) await call(round % 2);
