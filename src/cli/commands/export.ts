import fs from 'node:fs';
import { exportOrigins, requireOrigins } from '../../host/archive/export-origins.ts';
import { originsOf } from '../../disk/root/origins.ts';
import { fsyncLater } from '../../runtime/more-descriptor-calls.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { onInterruption, until } from '../interruption.ts';
import { printJson, writeOut } from '../output.ts';
import { Progress } from '../progress.ts';
import { keyOptions } from '../keys-option.ts';
import { jsonOption, openRoot, openRootWithKey, originOf, rootOptions, unlockAll } from '../root.ts';
import { bytes } from '../table.ts';

const options = {
  origin: { value: 'ORIGIN', isList: true, help: 'which one; may be given several times; default: all' },
  bucket: { value: 'NAME', help: 'of one origin this named bucket only' },
  to: { value: 'FILE', help: 'the archive, or - for the standard output' },
  plain: { help: 'write what is encrypted so that whoever has the archive can read it' },
  ...keyOptions,
  ...jsonOption,
  ...rootOptions,
} as const;

export const exportCommand: Command = {
  name: 'export',
  summary: 'write origins, with all that they have, into one archive that tar reads',
  usage: '--to FILE [--origin ORIGIN [--bucket NAME]]... [--plain] [--json]',
  options,
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const { to, origin, bucket, plain = false } = values;
    if (to === undefined || to === '') throw new UsageError("'--to FILE' is missing");
    const root = await openRootWithKey(values, openRoot);
    const origins = origin === undefined ? Array.from(originsOf(root), (each) => each.origin).sort() : [...new Set(origin.map(originOf))];
    if (origin !== undefined && bucket !== undefined) await unlockAll(values, root, origins, 'thrown');
    requireOrigins(root, origins, bucket);
    const written = await write(to, exportOrigins(root, origins, { only: bucket, isPlain: plain }));
    if (to !== '-' && values.json) printJson({ file: to, bytes: written, origins });
    else if (to !== '-') console.log(`${to}: ${bytes(written)}, ${origins.length === 1 ? origins[0] : `${origins.length} origins`}`);
    return 0;
  },
};

/** The file has its name once it is whole, and on the disk. */
async function write(to: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  if (to === '-') return copy(pieces, writeOut);
  const draft = `${to}.holdfast-${process.pid}`;
  try {
    const written = await writeDraft(draft, pieces);
    fs.renameSync(draft, to);
    return written;
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
}

async function writeDraft(draft: string, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const handle = await fs.promises.open(draft, 'wx', 0o600);
  try {
    const written = await copy(pieces, (piece) => handle.appendFile(piece));
    await fsyncLater(handle.fd, draft);
    return written;
  } finally {
    await handle.close();
  }
}

async function copy(pieces: AsyncIterable<Uint8Array>, take: (piece: Uint8Array) => Promise<void>): Promise<number> {
  const progress = new Progress();
  let written = 0;
  try {
    for await (const piece of until(onInterruption(), pieces)) {
      await take(piece);
      progress.update((written += piece.length), null, bytes);
    }
    return written;
  } finally {
    progress.end();
  }
}
