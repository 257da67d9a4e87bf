import fs from 'node:fs';
import type { Locator } from '../../src/disk/locator.ts';
import { Journal } from '../../src/disk/journal/journal.ts';
import { Account } from '../../src/disk/quota/account.ts';
import type { Allowance } from '../../src/disk/quota/account.ts';
import { OverQuotaError } from '../../src/disk/quota/ledger.ts';
import { AccountMachine } from '../../src/disk/quota/machine.ts';
import { categories } from '../../src/disk/quota/records.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { DiskSpace } from '../../src/disk/root/disk-space.ts';
import type { FileTree } from '../../src/disk/tree/file-tree.ts';
import type { Swap } from '../../src/disk/tree/swap.ts';
import { TreeError } from '../../src/disk/tree/tree-error.ts';
import type { ThreadIdentity } from '../../src/runtime/identity.ts';
import { makeBucket, weigh } from '../tree/support.ts';
import type { Bucket } from '../tree/support.ts';

/** What these tests count are bytes that they put on the disk by themselves: never encrypted, with HOLDFAST_TEST_KEY=1 either. */
const plain = { sealing: undefined } as unknown as { readonly sealing?: never };

/** Realms that have ended without a word. */
const ended = new Set<number>();
let threads = 0;

/** One realm with its tree, as a process has them, in this process. */
export class Realm {
  readonly account: Account;
  readonly tree: FileTree;
  readonly #identity: ThreadIdentity;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #swaps: Swap[] = [];

  constructor(bucket: Bucket, allowance?: Allowance, boot = 'boot') {
    threads += 1;
    this.#identity = { boot, namespace: 'test', pid: 1, tid: threads, start: 1 };
    this.account = new Account(placeOf(bucket), {
      ...(allowance && { allowance }),
      identity: this.#identity,
      detach: (body) => this.#remember(body()),
      probe: ({ tid }) => (ended.has(tid) ? 'dead' : 'alive'),
    });
    this.tree = bucket.open({ ledger: this.account.ledger(categories.files), session: crypto.randomUUID(), ...plain });
  }

  /** A file with some content by way of a swap file. */
  async put(locator: Locator, bytes: number): Promise<void> {
    const swap = await this.tree.swap();
    try {
      swap.extent.cover(bytes);
      fs.ftruncateSync(swap.descriptor, bytes);
      await this.tree.replace(swap, locator);
    } finally {
      swap.discard();
    }
  }

  /** A swap file that stays open, as a writable's. */
  async begin(source: Locator | undefined, bytes: number): Promise<void> {
    const swap = await this.tree.swap(source);
    this.#swaps.push(swap);
    swap.extent.cover(bytes);
    if (bytes === swap.extent.size) fs.ftruncateSync(swap.descriptor, bytes);
  }

  abort(): void {
    this.#swaps.pop()?.discard();
  }

  /** What a sync access handle does in one go. */
  resize(locator: Locator, bytes: number): void {
    const file = this.tree.openForWriting(locator, false);
    try {
      file.extent.cover(bytes);
      const mark = file.extent.mark();
      fs.ftruncateSync(file.descriptor, bytes);
      file.extent.shrunk(bytes, mark);
    } finally {
      fs.closeSync(file.descriptor);
    }
  }

  /** Whether others see it as one that has ended, though it goes on. */
  pretendDead(dead: boolean): void {
    if (dead) ended.add(this.#identity.tid);
    else ended.delete(this.#identity.tid);
  }

  /** It tells nothing any more, and others can see that it is gone. */
  kill(): void {
    ended.add(this.#identity.tid);
    for (const timer of this.#timers) clearTimeout(timer);
    for (const swap of this.#swaps) swap.close();
  }

  #remember<T>(made: T): T {
    if (typeof made === 'object') this.#timers.push(made as NodeJS.Timeout);
    return made;
  }
}

function placeOf(bucket: Bucket): BucketPlace {
  return { path: bucket.path, ensure: () => undefined, space: new DiskSpace(bucket.path) };
}

/** What the account of a bucket says now, to somebody who has nothing to do with it. */
export function read(bucket: Bucket): AccountMachine {
  const machine = new AccountMachine();
  const journal = new Journal(`${bucket.path}/quota`, machine);
  journal.catchUp();
  journal.close();
  return machine;
}

/** Bytes that are used or reserved. */
export function taken(bucket: Bucket): number {
  return read(bucket).taken;
}

/** Whether something has failed as it may. */
export async function allowing(body: () => unknown): Promise<'done' | 'over quota' | 'not there'> {
  try {
    await body();
    return 'done';
  } catch (error) {
    if (error instanceof OverQuotaError) return 'over quota';
    if (error instanceof TreeError) return 'not there';
    throw error;
  }
}

export { makeBucket, weigh };
export type { Bucket };
