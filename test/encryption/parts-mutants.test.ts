import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { some } from '../support/thorough.ts';
import { Canaries, key, newRoot, ORIGIN, within } from './parts.ts';
import type * as Product from './parts.product.ts';
import * as product from './parts.product.ts';

type Variant = Pick<typeof Product, 'StorageHost'>;
type Host = InstanceType<Variant['StorageHost']>;

/** Writes into caches, buckets and channels, with marks. */
async function write(host: Host, canaries: Canaries): Promise<void> {
  const client = host.origin(ORIGIN);
  const bucket = await client.storageBuckets.open(canaries.new());
  for (const caches of [client.caches, bucket.caches]) {
    const cache = await caches.open(canaries.new());
    for (const name of ['a', 'b']) await cache.put(`${ORIGIN}/${name}?${canaries.new()}`, new Response(canaries.new(), { headers: { x: canaries.new() } }));
  }
  await bucket.locks.request(canaries.new(), () => undefined);
  new client.BroadcastChannel(canaries.new()).postMessage(canaries.new());
}

/** Whether all of it can be read: nothing that stands in for something else is noticed otherwise. */
async function reads(host: Host): Promise<boolean> {
  const { caches, storageBuckets } = host.origin(ORIGIN);
  const [name = ''] = await storageBuckets.keys();
  const bucket = await storageBuckets.open(name);
  await bucket.locks.query();
  for (const each of [caches, bucket.caches]) {
    const responses = await (await each.open((await each.keys())[0] ?? '')).matchAll();
    for (const response of responses) await response.text();
    if (responses.length !== 2) return false;
  }
  return true;
}

/** The first thing that is wrong with a variant; null: nothing is. */
async function firstFault({ StorageHost }: Variant): Promise<string | null> {
  const root = newRoot();
  const canaries = new Canaries();
  const using = async <T>(body: (host: Host) => Promise<T>): Promise<T | null> => {
    const host = new StorageHost({ root, encryption: { key } });
    try {
      return await body(host);
    } catch {
      return null;
    } finally {
      await host.close();
    }
  };
  const isWritten = await using(async (host) => (await write(host, canaries), true));
  if (canaries.foundIn(root).length > 0) return 'plain';
  if (isWritten === null || (await using(reads)) !== true) return 'does not work';
  const id = fs.readdirSync(within(root, 'buckets'))[0] ?? '';
  const [own, other] = [within(root, 'default'), within(root, 'buckets', id)];
  const responses = (bucket: string): string[] => fs.readdirSync(path.join(bucket, 'caches/responses')).sort().map((name) => path.join(bucket, 'caches/responses', name));
  const [a = '', b = ''] = responses(own);
  const [far = ''] = responses(other);
  for (const [what, from, to] of [['response', a, b], ['bucket of a response', far, a], ['bucket of a journal', path.join(other, 'locks'), path.join(own, 'locks')]] as const) {
    fs.cpSync(to, `${root}.kept`, { recursive: true });
    fs.rmSync(to, { recursive: true });
    fs.cpSync(from, to, { recursive: true });
    const noticed = await using((host) => (what === 'bucket of a journal' ? host.origin(ORIGIN).locks.query().then(() => true) : reads(host)));
    if (noticed !== null) return what;
    fs.rmSync(to, { recursive: true });
    fs.cpSync(`${root}.kept`, to, { recursive: true });
    fs.rmSync(`${root}.kept`, { recursive: true });
  }
  return null;
}

const mutants: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'responses are written plain', fault: 'plain', file: 'disk/caches/response-files.ts', from: "sealing && (() => sealing.draft(descriptor, path, 'whole'))", to: 'sealing && undefined' },
  { what: 'responses are bound to nothing', fault: 'response', file: 'disk/caches/response-files.ts', from: 'return this.#sealing?.bound(placeOfResponse(name));', to: 'return name === placeOfResponse(name) ? this.#sealing?.bound(name) : this.#sealing;' },
  { what: 'all responses have one place', fault: 'response', file: 'disk/caches/response-files.ts', from: 'bound(placeOfResponse(name))', to: 'bound(placeOfResponse(typeof name))' },
  { what: 'all buckets have the journals of one', fault: 'bucket of a journal', file: 'host/encryption/vault.ts', from: 'new VaultJournal(this.#vault, `${this.#bucket}/${name}`)', to: 'new VaultJournal(this.#vault, `${typeof this.#bucket}/${name}`)' },
  { what: 'the index of caches is plain', fault: 'does not work', file: 'disk/caches/cache-journal.ts', from: '      encryption: place.encryption?.journal(INDEX),\n', to: '' },
  { what: 'the register is plain', fault: 'does not work', file: 'disk/buckets/register-journal.ts', from: '      encryption: home.encryption?.journal(NAME),\n', to: '' },
  { what: 'messages are plain', fault: 'does not work', file: 'disk/channels/channel-journal.ts', from: '      encryption: place.encryption?.journal(NAME),\n', to: '' },
  { what: 'late journals begin plain', fault: 'does not work', file: 'disk/root/late-part.ts', from: 'snapshot(), place.encryption?.journal(name))', to: 'snapshot())' },
  { what: 'named buckets have no keys', fault: 'plain', file: 'host/storage-buckets/named-bucket.ts', from: 'keysOfNamed(home.place.encryption, id)', to: 'keysOfNamed(undefined, id)' },
];

test('the product itself has no fault', async () => {
  expect(await firstFault(product)).toBeNull();
});

test.each(some(mutants, 'parts'))('it would be noticed if $what', async ({ fault, ...mutant }) => {
  expect(await firstFault(await loadMutant<typeof Product>(new URL('parts.product.ts', import.meta.url), mutant))).toBe(fault);
});
