import fs from 'node:fs';
import { TextDecoder } from 'node:util';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { printJson, printLines, standardInput, writeOut } from '../output.ts';
import { keyOptions } from '../keys-option.ts';
import { bucketOption, jsonOption, localStorageIn, originOption, rootOptions, withClient } from '../root.ts';
import { printable } from '../table.ts';

const getOptions = { ...originOption, ...bucketOption, raw: { help: 'the value alone, without a newline behind it' }, ...jsonOption, ...keyOptions, ...rootOptions } as const;

export const get: Command = {
  name: 'get',
  summary: 'print an item of localStorage',
  usage: '--origin ORIGIN KEY [--raw] [--json]',
  options: getOptions,
  run: async (args) => {
    const { values, positionals } = parse(getOptions, args);
    requireArguments(positionals, ['KEY']);
    const [key = ''] = positionals;
    const value = await withClient(values, async (client) => localStorageIn(values, client).getItem(key));
    if (value === null) throw noItem(key);
    if (values.json) printJson({ key, value });
    else await writeOut(values.raw ? value : `${value}\n`);
    return 0;
  },
};

export function noItem(key: string): HoldfastError {
  return new HoldfastError('bad-option', `There is no item '${key}'.`);
}

const setOptions = { ...originOption, ...bucketOption, from: { value: 'FILE', help: 'take the value from a file, or with - from the standard input' }, ...keyOptions, ...rootOptions } as const;

export const set: Command = {
  name: 'set',
  summary: 'set an item of localStorage; other processes get their storage events',
  usage: '--origin ORIGIN KEY VALUE | KEY - | KEY --from FILE',
  options: setOptions,
  run: async (args) => {
    const { values, positionals } = parse(setOptions, args);
    requireArguments(positionals, values.from === undefined ? ['KEY', 'VALUE'] : ['KEY']);
    const [key = '', given = ''] = positionals;
    const source = values.from ?? (given === '-' ? '-' : null);
    const value = source === null ? given : await textFrom(source);
    await withClient(values, async (client) => localStorageIn(values, client).setItem(key, value), 'made');
    return 0;
  },
};

async function textFrom(source: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  if (source === '-') for await (const chunk of standardInput()) chunks.push(chunk);
  else chunks.push(fs.readFileSync(source));
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new HoldfastError('bad-option', `${source === '-' ? 'The standard input' : source} is not UTF-8, so it cannot be a value of localStorage.`, { cause });
  }
}

const keysOptions = { ...originOption, ...bucketOption, ...jsonOption, ...keyOptions, ...rootOptions } as const;

export const keys: Command = {
  name: 'keys',
  summary: 'list the keys of localStorage, in their order',
  usage: '--origin ORIGIN [--json]',
  options: keysOptions,
  run: async (args) => {
    const { values, positionals } = parse(keysOptions, args);
    if (positionals.length > 0) throw new UsageError(`unexpected '${positionals[0]}'`);
    const found = await withClient(values, async (client) => keysOf(localStorageIn(values, client)));
    if (values.json) printJson(found);
    else printLines(found.map(printable));
    return 0;
  },
};

/** Of which others may remove some meanwhile. */
function keysOf(storage: Pick<Storage, 'length' | 'key'>): string[] {
  return Array.from({ length: storage.length }, (_, index) => storage.key(index)).filter((key) => key !== null);
}
