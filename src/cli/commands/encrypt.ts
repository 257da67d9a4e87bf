import { originsOf } from '../../disk/root/origins.ts';
import type { StorageHost } from '../../host/storage-host.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { onInterruption } from '../interruption.ts';
import { printJson, printLines } from '../output.ts';
import { Progress } from '../progress.ts';
import { encryptionOf, keyOptions } from '../keys-option.ts';
import { jsonOption, knownOrigin, openRoot, openRootWithKey, originOption, rootOptions, unlockAll, withHost, type KeyValues } from '../root.ts';
import { printable } from '../table.ts';
import { rowsOf } from './sync-status.ts';

const options = {
  ...originOption,
  all: { help: 'every origin of the root' },
  ...keyOptions,
  ...jsonOption,
  ...rootOptions,
} as const;

interface Encrypted {
  readonly origin: string;
  readonly outcome: 'encrypted' | 'completed' | 'incomplete' | 'failed';
  readonly message?: string;
}

const said: Readonly<Record<Encrypted['outcome'], string>> = {
  encrypted: 'it is encrypted now, and nothing of it is plain',
  completed: 'it was encrypted, and nothing of it is plain',
  incomplete: 'it is encrypted, but something is left',
  failed: 'nothing was changed',
};

export const encrypt: Command = {
  name: 'encrypt',
  summary: 'encrypt origins that are not, while programs use them',
  usage: '--origin ORIGIN | --all [--key-file FILE | --keys MODULE] [--json]',
  options,
  notes: ["Give all processes of the root the key and plain: 'migrate' first, and leave that away afterwards.", 'It may be stopped at any time, and run again. Exit code 1 also when something is left.', 'A coordinator that a process without the key runs is left until that ends.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    if ((values.origin === undefined) !== (values.all === true)) throw new UsageError("either '--origin ORIGIN' or '--all' is needed");
    const encryption = await encryptionOf(values);
    if (encryption === undefined) throw new UsageError("'--key-file FILE' is missing, or '--keys MODULE'");
    const root = openRoot(values);
    const origins = values.all ? Array.from(originsOf(root), ({ origin }) => origin).sort() : [knownOrigin(values, root)];
    const results = await withHost(values, (host) => encryptAll(host, origins), { ...encryption, plain: 'migrate' });
    if (values.json) printJson(results);
    else printLines(results.map(({ origin, outcome, message }) => printable(`${origin}: ${said[outcome]}${message === undefined ? '' : `: ${message}`}`)));
    if (!values.json) await tellOfHubs(values, results);
    return results.length === origins.length && results.every(({ outcome }) => outcome === 'encrypted' || outcome === 'completed') ? 0 : 1;
  },
};

async function encryptAll(host: StorageHost, origins: readonly string[]): Promise<Encrypted[]> {
  const progress = new Progress();
  const signal = onInterruption();
  const results: Encrypted[] = [];
  for (const origin of origins) {
    if (signal.aborted) break;
    results.push(await encryptOne(host, origin));
    progress.update(results.length, origins.length, (count) => `${count} origins`);
  }
  progress.end();
  return results;
}

async function encryptOne(host: StorageHost, origin: string): Promise<Encrypted> {
  try {
    return { origin, outcome: (await host.encrypt(origin)) ? 'encrypted' : 'completed' };
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    return { origin, outcome: error.code === 'root-busy' ? 'incomplete' : 'failed', message: error.message };
  }
}

/** What a hub has of an origin is encrypted by who speaks with it. */
async function tellOfHubs(values: KeyValues, results: readonly Encrypted[]): Promise<void> {
  const origins = results.filter(({ outcome }) => outcome !== 'failed').map(({ origin }) => origin);
  const root = await openRootWithKey(values);
  await unlockAll(values, root, origins, 'told');
  for (const origin of origins) {
    const hubs = new Set(rowsOf(root, origin).map(({ replica }) => replica.link.hub));
    if (hubs.size > 0) console.log(printable(`${origin} follows a hub (${[...hubs].join(', ')}), where this encrypts nothing: what is plain there stays until a process with 'sync', the key and plain: 'migrate' follows it.`));
  }
}
