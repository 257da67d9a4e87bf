import fs from 'node:fs';
import { createFactory, endFactory } from '../../../src/indexed-db/index.ts';
import type { IDBFactory } from '../../../src/indexed-db/factory.ts';
import { newBucket, placeAt, type TestPlace } from './place.ts';

/** What a case is given: a factory on a bucket of its own. */
export interface Bench {
  readonly place: TestPlace;
  readonly factory: IDBFactory;
}

export type Cases = Readonly<Record<string, (bench: Bench) => Promise<void>>>;

/** Runs the cases one after another, and prints a line of JSON for each: its name, and what went wrong. */
export async function runCases(cases: Cases): Promise<void> {
  for (const [name, body] of Object.entries(cases)) console.log(JSON.stringify({ name, error: await errorOf(body) }));
  process.exit(0);
}

async function errorOf(body: Cases[string]): Promise<string | null> {
  const place = placeAt(newBucket());
  const factory = createFactory(place);
  try {
    await body({ place, factory });
    return null;
  } catch (error) {
    return String((error as Error | undefined)?.stack ?? error);
  } finally {
    await endFactory(factory);
    await place.close();
    fs.rmSync(place.path, { recursive: true, force: true });
  }
}
