import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import type { BucketEntry } from '../../src/disk/buckets/policies.ts';
import type * as Product from './register.ts';

interface ModelBucket {
  readonly id: string;
  persisted: boolean;
  expires: number | null;
  readonly quota: number | null;
  readonly content: string;
}

const never = 4e12;
const name = fc.constantFrom('a', 'b', 'c');
const side = fc.constantFrom(0, 1);
const quota = fc.constantFrom(null, 1000);
const expires = fc.constantFrom(null, never, never + 1);

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('open' as const), side, name, persisted: fc.boolean(), quota, expires }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('delete' as const), side, name }) },
  // By what a side has opened, whether or not it is there still.
  { weight: 2, arbitrary: fc.record({ does: fc.constant('persist' as const), side, which: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('expire' as const), side, which: fc.nat(9), expires: fc.constantFrom(1, never + 2) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('find' as const), side, which: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('compact' as const), side }) },
);

/** Two realms on one root do with named buckets what one would: the first difference that is found, or null. */
export async function differenceFromModel(product: typeof Product, numRuns: number): Promise<string | null> {
  const found = await fc.check(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-buckets-'));
      const run = new Run(product, directory);
      try {
        for (const each of steps) run.take(each);
        await run.end();
      } finally {
        await run.close();
        fs.rmSync(directory, { recursive: true, force: true });
      }
    }),
    { numRuns, seed: 7, endOnFailure: true },
  );
  return found.failed ? (found.errorInstance instanceof Error ? found.errorInstance.message : 'something else') : null;
}

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Run {
  readonly #sides: InstanceType<typeof Product.BucketRegister>[];
  readonly #model = new Map<string, ModelBucket>();
  /** Every incarnation that there was. */
  readonly #all: { readonly id: string; readonly name: string }[] = [];
  /** Those that each side was told are gone. */
  readonly #told: Set<string>[] = [new Set(), new Set()];
  readonly #parent: string;
  readonly #newRegister: () => InstanceType<typeof Product.BucketRegister>;
  readonly #product: typeof Product;

  constructor(product: typeof Product, root: string) {
    const { BucketRegister, BucketDirectory, Root } = product;
    this.#product = product;
    this.#newRegister = () => {
      const own = new Root(path.join(root, 'root'), 'relaxed');
      return new BucketRegister(own, new BucketDirectory(own, 'https://a.example', 'default'));
    };
    this.#sides = [this.#newRegister(), this.#newRegister()];
    this.#parent = path.join(root, 'root/origins/https_a.example/buckets');
  }

  take(each: Step): void {
    const register = this.#sides[each.side];
    if (register === undefined) return;
    if (each.does === 'open') this.#open(register, each);
    else if (each.does === 'delete') {
      register.delete(each.name);
      this.#model.delete(each.name);
    } else if (each.does === 'compact') {
      this.#compact();
    } else this.#one(register, each);
    this.#compare();
  }

  /** As whoever has appended most does now and then. */
  #compact(): void {
    const { Journal, RegisterMachine } = this.#product;
    const journal = new Journal(path.join(this.#parent, '../default/register'), new RegisterMachine());
    if (journal.catchUp()) journal.compact();
    journal.close();
  }

  #open(register: InstanceType<typeof Product.BucketRegister>, { name, persisted, quota, expires, side }: Extract<Step, { does: 'open' }>): void {
    const entry = register.open(name, { persisted, quota, expires, durability: 'relaxed' });
    const known = this.#model.get(name);
    if (known === undefined) {
      same(this.#all.some(({ id }) => id === entry.id), false, 'an id is given twice');
      const content = `${name} ${this.#all.length}`;
      fs.writeFileSync(path.join(this.#parent, entry.id, 'content'), content);
      this.#all.push({ id: entry.id, name });
      this.#model.set(name, { id: entry.id, persisted, quota, expires, content });
    } else {
      known.persisted ||= persisted;
      known.expires = expires ?? known.expires;
    }
    register.watch(entry.id, () => this.#told[side]?.add(entry.id));
    this.#sameEntry(entry, name);
  }

  #one(register: InstanceType<typeof Product.BucketRegister>, each: Extract<Step, { which: number }>): void {
    const one = this.#all[each.which % Math.max(1, this.#all.length)];
    if (one === undefined) return;
    const known = this.#model.get(one.name);
    const isThere = known?.id === one.id;
    if (each.does === 'find') {
      same(register.find(one.id)?.id, isThere ? one.id : undefined, 'what is found');
    } else if (each.does === 'persist') {
      same(register.persist(one.id), isThere, 'whether one could be persisted');
      if (isThere) known.persisted = true;
    } else {
      same(register.expire(one.id, each.expires), isThere, 'whether one got an end');
      if (!isThere) return;
      known.expires = each.expires;
      if (each.expires === 1) this.#model.delete(one.name);
    }
  }

  #sameEntry(entry: BucketEntry | undefined, name: string): void {
    const known = this.#model.get(name);
    same([entry?.id, entry?.persisted, entry?.expires, entry?.quota], [known?.id, known?.persisted, known?.expires, known?.quota], `the bucket ${name}`);
  }

  #compare(): void {
    for (const register of this.#sides) {
      same(register.names(), [...this.#model.keys()].sort(), 'the names');
      for (const [name, { id }] of this.#model) this.#sameEntry(register.find(id), name);
    }
    for (const { id, content } of this.#model.values()) same(fs.readFileSync(path.join(this.#parent, id, 'content'), 'utf8'), content, 'what is in a bucket');
    const live = new Set([...this.#model.values()].map(({ id }) => id));
    for (const told of this.#told) for (const id of told) same(live.has(id), false, 'a bucket is said to be gone');
  }

  async close(): Promise<void> {
    await Promise.all(this.#sides.map((register) => register.close()));
  }

  /** All space is freed. */
  async end(): Promise<void> {
    await this.close();
    const newcomer = this.#newRegister();
    for (const { id, name } of this.#all) same(newcomer.find(id) !== undefined, this.#model.get(name)?.id === id, `whether a newcomer finds ${id}`);
    await newcomer.close();
    const names = fs.existsSync(this.#parent) ? fs.readdirSync(this.#parent).sort() : [];
    same(names, [...this.#model.values()].map(({ id }) => id).sort(), 'the directories that are left');
  }
}

function same(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: ${a} and not ${b}`);
}
