/** Regions that call each other over HTTPS: with a certificate that is trusted and a token that is right; and with others. */
import fs from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorRegions } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { embeddedHub, type RunningHub } from '../../src/sync/index.ts';
import { makeCertificate, type Certificate } from '../support/servers/certificate.ts';
import { Counter, folder, HUB_TOKEN, listed, listener, ORIGIN, startedHub, stubOf, TOKEN } from './regions-support.ts';

function certificate(): Certificate {
  const made = makeCertificate();
  onTestFinished(() => made.dispose());
  return made;
}

function region(hub: RunningHub, name: string, peers: CoordinatorRegions['peers']): { coordinators: Coordinators; counter: ReturnType<typeof stubOf> } {
  const host = new StorageHost({ root: path.join(folder(), name) });
  const client = embeddedHub({ url: hub.url, token: HUB_TOKEN });
  const coordinators = new Coordinators(host, { Counter }, { regions: { hub: client, region: name, token: TOKEN, peers } });
  onTestFinished(async () => {
    await coordinators.close();
    await client.close();
    await host.close();
  });
  return { coordinators, counter: stubOf(coordinators, 'visits') };
}

async function secured({ certFile, keyFile }: Certificate, handle: (request: Request) => Promise<Response>): Promise<string> {
  const server = https.createServer({ cert: fs.readFileSync(certFile), key: fs.readFileSync(keyFile) }, listener(() => handle));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}/coordinators`;
}

test('regions call each other over HTTPS, and say clearly where a certificate or a token is not taken', async () => {
  const [own, other] = [certificate(), certificate()];
  const hub = await startedHub();
  const eu = region(hub, 'eu', {});
  const url = await secured(own, eu.coordinators.handler);
  const trusting = region(hub, 'us', { eu: { url, token: TOKEN, tls: { ca: own.ca } } });
  expect(await eu.counter.increment()).toBe(1);
  expect(await Promise.all(Array.from({ length: 10 }, () => trusting.counter.increment()))).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const wrong = {
    certificate: [{ url, token: TOKEN }, { url, token: TOKEN, tls: { ca: other.ca } }, { url, token: TOKEN, tls: { ca: own.ca, servername: 'eu.example' } }],
    token: [{ url, token: `${TOKEN}-of-somebody-else`, tls: { ca: own.ca } }],
  };
  for (const [what, peers] of Object.entries(wrong)) {
    for (const peer of peers) {
      const error = await region(hub, 'asia', { eu: peer }).counter.increment().catch((thrown: unknown) => thrown);
      const message = expect.stringMatching(`'eu'.*${what}|${what}.*'eu'`) as string;
      expect(error).toMatchObject({ name: 'HoldfastError', code: 'coordinator-unavailable', outcome: 'not-run', retryable: false, overloaded: false, remote: false, message });
    }
  }
  // Nobody has taken it from where it is.
  expect(await trusting.counter.increment()).toBe(12);
  expect((await listed(eu.coordinators, ORIGIN)).map(({ owner }) => owner?.address.split('/')[0])).toEqual(['eu']);
});

test('what is to be trusted is asked of urls that begin with https: only', () => {
  const host = new StorageHost({ root: path.join(folder(), 'us') });
  const hub = embeddedHub({ url: 'http://127.0.0.1:1', token: HUB_TOKEN });
  const open = (peer: object): unknown => new Coordinators(host, {}, { regions: { hub, region: 'us', token: TOKEN, peers: { eu: peer } as never } });
  for (const peer of [{ url: 'http://127.0.0.1:2', token: TOKEN, tls: { ca: '' } }, { url: 'https://eu.example', token: TOKEN, tls: { pfx: '' } }]) {
    expect(() => open(peer)).toThrow(expect.objectContaining({ code: 'bad-option' }) as Error);
  }
});
