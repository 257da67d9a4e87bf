import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Collector } from '../../src/sync/replicator/collector.ts';
import { FilesModel } from '../../src/sync/files/files-model.ts';
import { Line } from '../../src/sync/replicator/line.ts';
import { systemSurroundings } from '../../src/sync/replicator/surroundings.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { converge, hubLog, LOG, Region } from './files-regions.ts';

const nameOf = (content: string): string => createHash('sha256').update(content).digest('hex');

/** Collects as a replicator of the region does after a snapshot; how many blobs the hub has then. */
async function collect(region: Region, trimTo: number): Promise<void> {
  const log = memoryHub(region.engine).log(LOG);
  const line = new Line(systemSurroundings);
  const journal = region.sync.journal;
  const probe = new FilesModel();
  const unpacking = { log, line, knows: (kind: number) => probe.knows(kind), recall: () => null, check: () => undefined };
  const collector = new Collector({ log, line, journal, unpacking, surroundings: systemSurroundings, references: region.sync.references, policy: { every: 0, unusedFor: 0 } });
  const known = collector.look();
  if (known === null) throw new Error('it is not time');
  await log.putSnapshot({ position: known.position, bytes: new Uint8Array(1) });
  await log.trim(trimTo);
  await collector.collect(known);
}

test('the content of files stays while a file, a conflict or a kept entry names it, and goes then', async () => {
  const engine = new MemoryEngine();
  const [a, b] = [new Region({ engine, eager: true }), new Region({ engine, eager: true })];
  await a.write('f', 'the first');
  await converge(a, b);
  await a.write('f', 'the second');
  await converge(a, b);
  const { blobs } = hubLog(engine);
  await collect(a, 0);
  expect([blobs.has(nameOf('the first')), blobs.has(nameOf('the second'))]).toEqual([true, true]);

  // Neither sees the other's.
  await Promise.all([a.disconnect(), b.disconnect()]);
  await a.write('f', 'of a');
  await b.write('f', 'of b');
  await Promise.all([a.sync.captured(), b.sync.captured()]);
  a.connect();
  b.connect();
  await converge(a, b);
  await a.write('g', 'something else');
  await converge(a, b);
  const [conflict] = a.sync.conflicts();
  expect(conflict).toBeDefined();
  await collect(a, a.position - 1);
  expect([blobs.has(nameOf('the first')), blobs.has(nameOf('the second'))]).toEqual([false, false]);
  expect([blobs.has(nameOf('of a')), blobs.has(nameOf('of b'))]).toEqual([true, true]);
  expect(['of a', 'of b']).toContain(await (await conflict?.lost.bytes())?.text());
});
