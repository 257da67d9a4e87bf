import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { RegisterMachine } from '../../src/disk/buckets/machine.ts';
import { faultsOfResponses, listResponses } from '../../src/disk/caches/inspect.ts';
import { CacheMachine } from '../../src/disk/caches/machine.ts';
import { OwnedMachine } from '../../src/disk/coordinator/owned-machine.ts';
import { FrameReader } from '../../src/disk/journal/frame-reader.ts';
import { Journal } from '../../src/disk/journal/journal.ts';
import { closeQuietly, FILE_HEADER_BYTES, openGeneration } from '../../src/disk/journal/generation-file.ts';
import { LockMachine } from '../../src/disk/locks/machine.ts';
import { MapMachine } from '../../src/disk/map/map-machine.ts';
import { MapSkim } from '../../src/disk/map/map-skim.ts';
import { AccountMachine } from '../../src/disk/quota/machine.ts';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';
import { weighBucket } from '../../src/disk/quota/weigh.ts';
import type { JournalName, Machines } from '../../src/disk/verify/knowledge.ts';
import { ChannelMachine } from '../../src/disk/channels/channel-machine.ts';
import { COUNT, encodeCount, encodeMessage, MESSAGE } from '../../src/disk/channels/channel-records.ts';
import { writeValue } from '../../src/disk/values/write-value.ts';
import { databaseExaminer } from '../../src/disk/records/examine.ts';
import { type Verification, verifyRoot } from '../../src/disk/verify/root.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { FilesJournal } from '../../src/sync/files/files-journal.ts';
import { FilesMachine } from '../../src/sync/files/files-machine.ts';

export const ORIGIN = 'https://app.example';
export const JOURNALS: readonly JournalName[] = ['local-storage', 'locks', 'quota', 'files-sync', 'channels', 'caches/index'];

const nothing = (): void => {};

const machines: Machines = {
  'local-storage': (url) => new MapSkim(url),
  locks: () => new LockMachine({ settled: nothing, lost: nothing, left: nothing, ended: nothing, webStirred: nothing, changed: nothing, gap: nothing, restored: nothing }),
  quota: () => new AccountMachine(),
  'files-sync': () => new FilesMachine(),
  channels: () => new ChannelMachine(),
  'caches/index': () => new CacheMachine(),
  register: () => new RegisterMachine(),
  turns: () => new OwnedMachine(),
};

const responses = { list: listResponses, faults: faultsOfResponses };
const examine = await databaseExaminer();

export const verify = (directory: string): Verification => verifyRoot(new Root(directory, 'relaxed', 'lockfile'), { machines, responses, weigh: weighBucket, examine }, nothing);

export function temporary(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-verify-'));
  onTestFinished(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A root that has been used for everything, with nobody in it any more. */
export async function sampleRoot(): Promise<string> {
  const root = path.join(temporary(), 'root');
  const host = new StorageHost({ root });
  const { caches, localStorage, locks, storage } = host.origin(ORIGIN);
  for (let index = 0; index < 6; index += 1) localStorage.setItem(`key ${index}`, 'value'.repeat(index));
  for (let index = 0; index < 3; index += 1) await locks.request(`lock ${index}`, () => undefined);
  const directory = await storage.getDirectory();
  for (const name of ['one', 'two']) {
    const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
    await writable.write('x'.repeat(5000));
    await writable.close();
  }
  const cache = await caches.open('pages');
  for (const name of ['one', 'two']) await cache.put(`https://a.example/${name}`, new Response('x'.repeat(5000)));
  await host.close();
  const files = new FilesJournal(new BucketDirectory(new Root(root, 'relaxed'), ORIGIN, 'default'), { session: 5 });
  for (const name of ['one', 'two', 'three']) files.appendApplied([{ locator: [name], state: { kind: 'directory' } }]);
  files.close();
  sendMessages(journalOf(root, 'channels'));
  return root;
}

/** As channels leave them that were killed. */
function sendMessages(directory: string): void {
  Journal.create(directory, [{ kind: COUNT, payload: encodeCount(0) }]);
  const journal = new Journal(directory, new ChannelMachine());
  for (const sequence of [1, 2, 3]) journal.append(MESSAGE, 5, sequence, encodeMessage({ name: 'news', value: writeValue(sequence), files: [] }));
  journal.close();
}

export const bucketOf = (root: string): string => path.join(root, 'origins', 'https_app.example', 'default');
export const journalOf = (root: string, name: JournalName): string => path.join(bucketOf(root), name);
export const generationOf = (root: string, name: JournalName): string => path.join(journalOf(root, name), '0');

/** Where the frames of generation 0 begin and end, those of the snapshot first; and how many these are. */
export function framesOf(journal: string): { frames: { from: number; to: number }[]; snapshot: number } {
  const file = openGeneration(journal, 0);
  if (file === null) throw new Error(`no generation in ${journal}`);
  const reader = new FrameReader(file.descriptor, file.magic, FILE_HEADER_BYTES);
  const frames = [];
  let snapshot = 0;
  for (reader.fill(); reader.next(); ) {
    frames.push({ from: reader.position - reader.frame.size, to: reader.position });
    if (reader.frame.kind === 201) snapshot = frames.length;
  }
  reader.release();
  closeQuietly(file.descriptor);
  return { frames, snapshot };
}

/** Moves a map's journal to its next generation, and keeps so many of the ones before. */
export function compact(root: string, retain: number): void {
  const journal = new Journal(journalOf(root, 'local-storage'), new MapMachine(`${ORIGIN}/`), { retain });
  if (!journal.compact()) throw new Error('the journal did not move on');
  journal.close();
}

export function change(file: string, at: number, by = 1): void {
  const bytes = fs.readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ by;
  fs.writeFileSync(file, bytes);
}
