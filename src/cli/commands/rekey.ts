import { originsOf } from '../../disk/root/origins.ts';
import { encryptionPart } from '../../host/encryption/provide.ts';
import type { RekeyOptions } from '../../host/operations/types.ts';
import type { StorageHost } from '../../host/storage-host.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Command, parse, requireArguments, UsageError, type Values } from '../command.ts';
import { hubIn, hubOptions } from '../hub-option.ts';
import { type Encryption, encryptionOf } from '../keys-option.ts';
import { onInterruption } from '../interruption.ts';
import { printJson, printLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { jsonOption, knownOrigin, openRoot, originOption, rootOptions, withHost } from '../root.ts';
import { printable } from '../table.ts';

const options = {
  ...originOption,
  all: { help: 'every origin of the root that is encrypted' },
  'key-file': { value: 'FILE', help: 'a file with the key that is to open them: 32 bytes, or in hexadecimal or base64' },
  keys: { value: 'MODULE', help: 'in place of both an ES module that exports what opens them, with what did before as previous' },
  'previous-key-file': { value: 'FILE', isList: true, help: 'one with a key that opened them before; may be given several times' },
  'data-key': { help: 'give each a new data key too, which localStorage and locks move to at once, and files when they are replaced' },
  files: { help: 'rewrite every file with the active data key, and forget data keys that nothing needs any more' },
  ...hubOptions,
  ...jsonOption,
  ...rootOptions,
} as const;

type What = Required<RekeyOptions>;

/** What became of an origin's keys. */
interface Rekeyed {
  readonly origin: string;
  readonly outcome: 'renewed' | 'rewrapped' | 'unchanged' | 'plain' | 'incomplete' | 'failed';
  readonly message?: string;
}

const said: Readonly<Record<Rekeyed['outcome'], string>> = {
  renewed: 'it has a new data key, and its keys are wrapped with the new key',
  rewrapped: 'its keys are wrapped with the new key',
  unchanged: 'its keys were wrapped with the new key already',
  plain: 'it is not encrypted',
  incomplete: 'its keys are wrapped with the new key, but something is left',
  failed: 'nothing was changed',
};

export const rekey: Command = {
  name: 'rekey',
  summary: 'wrap the keys of encrypted origins with another key',
  usage: '--origin ORIGIN | --all (--key-file FILE [--previous-key-file FILE]... | --keys MODULE) [options]',
  options,
  notes: ['Give all processes of the root both keys first, and the new one alone afterwards. Without --data-key data stay as they are.', 'It may be stopped at any time, and run again. Exit code 1 also when an origin could not be opened.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    if ((values.origin === undefined) !== (values.all === true)) throw new UsageError("either '--origin ORIGIN' or '--all' is needed");
    const encryption = await keysIn(values);
    const root = openRoot(values);
    const origins = values.all ? [...originsOf(root)].map(({ origin }) => origin) : [knownOrigin(values, root)];
    const hub = await hubIn(values);
    const what = { dataKey: values['data-key'] === true, files: values.files === true, hub };
    const results = await withHost(values, (host) => rekeyAll(host, origins, what), encryption).finally(() => hub?.close());
    if (values.json) printJson(results);
    else printLines(results.map(({ origin, outcome, message }) => printable(`${origin}: ${said[outcome]}${message === undefined ? '' : `: ${message}`}`)));
    const isDone = ({ outcome }: Rekeyed): boolean => outcome !== 'failed' && outcome !== 'incomplete' && (values.all === true || outcome !== 'plain');
    return results.length === origins.length && results.every(isDone) ? 0 : 1;
  },
};

/** @throws UsageError; HoldfastError bad-option, key-pending */
async function keysIn(values: Values<typeof options>): Promise<Encryption | undefined> {
  const { 'key-file': file, 'previous-key-file': before = [], keys } = values;
  if (keys !== undefined && before.length > 0) throw new UsageError("'--keys' and '--previous-key-file' exclude each other: the module exports 'previous'");
  if (keys !== undefined) return encryptionOf(values);
  if (file === undefined || file === '') throw new UsageError("'--key-file FILE' is missing, or '--keys MODULE'");
  const keyIn = (name: string, option: string) => encryptionPart.code.encryptionFrom(name, option).key;
  return { key: keyIn(file, '--key-file'), previous: before.map((each) => keyIn(each, '--previous-key-file')) };
}

async function rekeyAll(host: StorageHost, origins: readonly string[], what: What): Promise<Rekeyed[]> {
  const progress = new Progress();
  const signal = onInterruption();
  const results: Rekeyed[] = [];
  for (const origin of origins) {
    if (signal.aborted) break;
    results.push(await rekeyOne(host, origin, what));
    progress.update(results.length, origins.length, (count) => `${count} origins`);
  }
  progress.end();
  return results;
}

async function rekeyOne(host: StorageHost, origin: string, what: What): Promise<Rekeyed> {
  try {
    const isChanged = await host.rekey(origin, what);
    return { origin, outcome: what.dataKey ? 'renewed' : isChanged ? 'rewrapped' : 'unchanged' };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    if (error.code === 'not-encrypted') return { origin, outcome: 'plain' };
    return { origin, outcome: what.files && error.code === 'root-busy' ? 'incomplete' : 'failed', message: error.message };
  }
}
