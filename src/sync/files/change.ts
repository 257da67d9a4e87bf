import { ByteReader, damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { readId, writeId } from '../../disk/replica/operation.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import type { Locator } from '../../disk/locator.ts';
import { readLocator, writeLocator } from './locators.ts';
import { readManifest, writeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/*
 * The one operation of synced files: a CHANGE is some steps that take effect together. A move is the new file and the
 * old one's end in one change. docs/FORMAT.md, "Synced files", is the same in words.
 *
 *   version, region, any number of
 *     FILE            locator, the version that its writer saw there, manifest
 *     DIRECTORY       locator
 *     GONE_FILE       locator, the version that whoever removed it saw there
 *     GONE_DIRECTORY  locator
 *     SEED            locator, manifest
 */
export const CHANGE = 1;

const CHANGE_VERSION = 1;

const FILE = 1;
const DIRECTORY = 2;
const GONE_FILE = 3;
const GONE_DIRECTORY = 4;
const SEED = 5;

export type Step =
  /** A file's whole content. `expected`: the version that it was made on; `NO_OPERATION` for none. */
  | { readonly type: 'file'; readonly locator: Locator; readonly expected: OperationId; readonly manifest: Manifest }
  | { readonly type: 'directory'; readonly locator: Locator }
  | { readonly type: 'gone-file'; readonly locator: Locator; readonly expected: OperationId }
  | { readonly type: 'gone-directory'; readonly locator: Locator }
  /** A file that another hub's order held. What is there in the new one stays. */
  | { readonly type: 'seed'; readonly locator: Locator; readonly manifest: Manifest };

export interface Change {
  /** The region that made it, for people. */
  readonly region: string;
  readonly steps: readonly Step[];
}

export function encodeChange({ region, steps }: Change): Uint8Array {
  const writer = new ByteWriter().byte(CHANGE_VERSION).text(region);
  for (const step of steps) writeStep(writer, step);
  return writer.finish();
}

function writeStep(writer: ByteWriter, step: Step): void {
  writer.byte(CODES[step.type]);
  writeLocator(writer, step.locator);
  if (step.type === 'file' || step.type === 'gone-file') writeId(writer, step.expected);
  if (step.type === 'file' || step.type === 'seed') writeManifest(writer, step.manifest);
}

const CODES: Readonly<Record<Step['type'], number>> = {
  file: FILE,
  directory: DIRECTORY,
  'gone-file': GONE_FILE,
  'gone-directory': GONE_DIRECTORY,
  seed: SEED,
};

/** @throws HoldfastError hub-damaged */
export function decodeChange(payload: Uint8Array): Change {
  const reader = new ByteReader(payload);
  if (reader.byte() !== CHANGE_VERSION) throw damaged('a change of files is of another version');
  const region = reader.text();
  const steps: Step[] = [];
  while (!reader.atEnd) steps.push(readStep(reader));
  return { region, steps };
}

function readStep(reader: ByteReader): Step {
  const code = reader.byte();
  const locator = readLocator(reader);
  switch (code) {
    case FILE:
      return { type: 'file', locator, expected: readId(reader), manifest: readManifest(reader) };
    case DIRECTORY:
      return { type: 'directory', locator };
    case GONE_FILE:
      return { type: 'gone-file', locator, expected: readId(reader) };
    case GONE_DIRECTORY:
      return { type: 'gone-directory', locator };
    case SEED:
      return { type: 'seed', locator, manifest: readManifest(reader) };
    default:
      throw damaged('a step of a change is of no known type');
  }
}
