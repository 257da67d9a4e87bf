import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Durability } from '../../../src/disk/root/durable.ts';
import { fates, imageOf, restore, type Fate, type Image } from './disk-images.ts';
import type { DiskHistory } from './disk-log.ts';
import { sample } from '../../support/thorough.ts';
import { examine } from './examine.ts';
import { rehearse, withDirectory } from './kill.ts';
import type { Scenario } from './scenarios.ts';

export interface Losses {
  /** Different disks that a power loss may have left. */
  readonly images: number;
  readonly violations: string[];
}

export interface PowerLossOptions {
  /** How the root was prepared, and how the scenario then uses it. */
  readonly before: Durability;
  readonly after: Durability;
  /** Random disks for each moment, besides the extremes. */
  readonly seeds: number;
  /** What chooses among the moments and disks; null: every one. */
  readonly of: string | null;
}

/** Cuts the power at moments of a scenario, and opens what a disk may hold then. */
export async function losePower(recorder: string, scenario: Scenario, options: PowerLossOptions): Promise<Losses> {
  return withDirectory(async (directory) => {
    const { states } = await rehearse(scenario, directory);
    const history = await record(recorder, scenario, directory, options);
    // What was done in a relaxed way is promised only once it is under something that was acknowledged as strict.
    const start = history.entries.findIndex(({ type }) => type === (options.before === 'strict' ? 'prepared' : 'acknowledged'));
    const all = lossesOf(history, start, options.seeds);
    const chosen = options.of === null ? all.map((value) => ({ value, again: '' })) : sample(all, options.of);
    const seen = new Set<string>();
    const violations: string[] = [];
    for (const { value: { length, fate }, again } of chosen) {
      const acknowledged = history.entries.slice(0, length).filter(({ type }) => type === 'acknowledged').length;
      const image = imageOf(history, length, fate);
      const identity = `${acknowledged} ${identify(image)}`;
      if (seen.has(identity)) continue;
      seen.add(identity);
      const disk = path.join(directory, `disk-${seen.size}`);
      restore(image, disk);
      const found = await examine(path.join(disk, 'root'), states.slice(acknowledged, acknowledged + 2));
      const moment = JSON.stringify(history.entries[length - 1])?.slice(0, 120);
      violations.push(...found.map((violation) => `after entry ${length - 1} (${moment}), kept ${fate.label}: ${violation}\n${again}`));
      fs.rmSync(disk, { recursive: true });
    }
    return { images: seen.size, violations };
  });
}

/** After which entry, and what the disk has kept. */
function lossesOf(history: DiskHistory, start: number, seeds: number): { readonly length: number; readonly fate: Fate }[] {
  const lengths = Array.from({ length: history.entries.length - start }, (_, index) => start + 1 + index);
  return lengths.filter((length) => !isAmidRename(history, length)).flatMap((length) => fates(length, seeds).map((fate) => ({ length, fate })));
}

function isAmidRename({ entries }: DiskHistory, length: number): boolean {
  const last = entries[length - 1];
  return last?.type === 'name' && last.half === length;
}

/** In a process of its own, which is dead when its disk is looked at. */
async function record(recorder: string, { name }: Scenario, directory: string, { before, after }: PowerLossOptions): Promise<DiskHistory> {
  const watched = path.join(directory, 'watched');
  const outcome = path.join(directory, 'history.json');
  fs.mkdirSync(watched);
  await promisify(execFile)(process.execPath, [recorder, name, watched, outcome, before, after]);
  return JSON.parse(fs.readFileSync(outcome, 'utf8')) as DiskHistory;
}

function identify(image: Image): string {
  return [...image].map(([name, content]) => `${name}:${content?.toString('base64')}`).join('\n');
}
