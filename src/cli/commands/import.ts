import fs from 'node:fs';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { onInterruption, until } from '../interruption.ts';
import { printJson, printLines, standardInput } from '../output.ts';
import { Progress } from '../progress.ts';
import { encryptionOf, keyOptions } from '../keys-option.ts';
import { jsonOption, makeRoot, originOf, rootOptions, withHost } from '../root.ts';
import { bytes } from '../table.ts';

const options = {
  from: { value: 'FILE', help: 'the archive, or - for the standard input' },
  origin: { value: 'ORIGIN', help: 'whom the data are for, where the archive has one origin; default: whose they were' },
  bucket: { value: 'NAME', help: 'this named bucket of the archive only; what else the origin has stays' },
  merge: { help: 'put what the archive has over what is there' },
  replace: { help: 'delete what is there' },
  create: { help: 'make the root first where there is none, as on a new machine' },
  ...keyOptions,
  ...jsonOption,
  ...rootOptions,
} as const;

export const importCommand: Command = {
  name: 'import',
  summary: 'bring back what an export has written, into the same or another origin',
  usage: '--from FILE [--origin ORIGIN] [--bucket NAME] [--merge | --replace] [--create] [--json]',
  options,
  notes: ['All of the archive is read and checked before anything changes. Data that are there are kept, unless --merge or --replace says otherwise.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const { from, origin, bucket, merge, replace } = values;
    if (from === undefined || from === '') throw new UsageError("'--from FILE' is missing");
    if (merge && replace) throw new UsageError("'--merge' and '--replace' exclude each other");
    const chosen = { ...(bucket !== undefined && { bucket }), ...(origin !== undefined && { origin: originOf(origin) }), existing: merge ? 'merge' : replace ? 'replace' : 'refuse' } as const;
    const encryption = await encryptionOf(values);
    if (values.create) makeRoot(values);
    // From now on: what is staged before the first piece is read is to be cleared away too.
    const signal = onInterruption();
    const imported = await withHost(values, (host) => host.importOrigin(read(from, signal), chosen), encryption);
    if (values.json) printJson(imported);
    else printLines(imported.map((each) => `${each.origin}: ${each.outcome}${each.source === each.origin ? '' : `, from ${each.source}`}`));
    return 0;
  },
};

async function* read(from: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  const progress = new Progress();
  const total = from === '-' ? null : fs.statSync(from).size;
  const pieces = from === '-' ? standardInput() : (fs.createReadStream(from, { highWaterMark: 2 ** 18 }) as AsyncIterable<Uint8Array>);
  let done = 0;
  try {
    for await (const piece of until(signal, pieces)) {
      yield piece;
      progress.update((done += piece.length), total, bytes);
    }
  } finally {
    progress.end();
  }
}
