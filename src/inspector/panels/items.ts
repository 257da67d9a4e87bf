import type { Arguments } from '../arguments.ts';
import type { Call } from '../call.ts';
import { clientOf, type Context, originOf } from '../context.ts';
import { cut } from '../cut.ts';
import { missing, Refused } from '../failure.ts';
import type { ItemRow, Page } from '../messages.ts';
import { Slices } from '../slices.ts';

type Items = Pick<Storage, 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem' | 'clear'>;

/** Code units of a value in a list. */
const SHOWN = 400;

/** A client of its own, so that all others hear of what it writes. */
async function withItems<T>(context: Context, args: Arguments, body: (items: Items) => T): Promise<Awaited<T>> {
  const client = await clientOf(context, originOf(context, args));
  try {
    return await body(client.localStorage);
  } finally {
    client.close();
  }
}

export const items: Call = {
  run: (context, args): Promise<Page<ItemRow>> => {
    const { offset, limit } = args.window();
    const search = args.textOr('search', '', 4096).toLowerCase();
    return withItems(context, args, async (storage) => {
      const keys = search === '' ? keysIn(storage, offset, limit) : await found(storage, search);
      const total = search === '' ? storage.length : keys.length;
      const rows = (search === '' ? keys : keys.slice(offset, offset + limit)).flatMap((key) => rowOf(storage, key));
      return { total, offset, rows };
    });
  },
};

function keysIn(storage: Items, offset: number, limit: number): string[] {
  const keys: string[] = [];
  for (let index = offset; index < offset + limit; index += 1) {
    const key = storage.key(index);
    if (key === null) break;
    keys.push(key);
  }
  return keys;
}

/** Keys that are looked at between two looks at the clock. */
const AT_ONCE = 500;

/** Those whose key or value has the text; in slices, for there may be very many. */
async function found(storage: Items, search: string): Promise<string[]> {
  const slices = new Slices();
  const keys: string[] = [];
  for (let offset = 0; ; offset += AT_ONCE) {
    const some = keysIn(storage, offset, AT_ONCE);
    for (const key of some) if (key.toLowerCase().includes(search) || storage.getItem(key)?.toLowerCase().includes(search) === true) keys.push(key);
    if (some.length < AT_ONCE) return keys;
    await slices.rest();
  }
}

/** None where it was removed meanwhile. */
function rowOf(storage: Items, key: string): ItemRow[] {
  const value = storage.getItem(key);
  return value === null ? [] : [{ key, value: cut(value, SHOWN) }];
}

export const item: Call = {
  run: (context, args) =>
    withItems(context, args, (storage) => {
      const value = storage.getItem(args.text('key'));
      if (value === null) throw missing('There is no such item any more.');
      return { value };
    }),
};

/** What was on the page when it was changed is what must still be there. */
function requireExpected(storage: Items, args: Arguments, key: string): void {
  const expected = args.any('expected');
  if (expected === undefined) return;
  if (storage.getItem(key) !== expected) throw new Refused(409, 'changed', 'Somebody else has changed it meanwhile.');
}

export const setItem: Call = {
  changes: true,
  run: (context, args) =>
    withItems(context, args, (storage) => {
      const [key, value] = [args.text('key'), args.text('value')];
      requireExpected(storage, args, key);
      storage.setItem(key, value);
      const before = args.textOr('renamed', undefined);
      if (before !== undefined && before !== key) storage.removeItem(before);
      return {};
    }),
};

export const removeItem: Call = {
  changes: true,
  run: (context, args) =>
    withItems(context, args, (storage) => {
      const key = args.text('key');
      requireExpected(storage, args, key);
      storage.removeItem(key);
      return {};
    }),
};

export const clearItems: Call = {
  changes: true,
  run: (context, args) =>
    withItems(context, args, (storage) => {
      storage.clear();
      return {};
    }),
};
