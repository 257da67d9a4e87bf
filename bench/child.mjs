// A contestant's process: `child.mjs <area> <contestant> <root>`. One line of JSON in, one out.
import { mkdir } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { Rounds } from './measure.mjs';

const [area, contestant, root] = process.argv.slice(2);

const limit = async (place) => (await import(`./limits/${area}.mjs`)).operations(place);

async function peer(name, place) {
  const { open } = await import(`./contestants/${name}.mjs`);
  return (await import(`./areas/${area}.mjs`)).operations(await open(place));
}

/** The bare calls again, in a heap that holds what Holdfast's does: what V8 collects, and when, depends on that. */
async function beside() {
  const places = ['holdfast', 'limit'].map((name) => join(root, name));
  for (const place of places) await mkdir(place);
  const kept = await peer('holdfast', places[0]);
  const operations = await limit(places[1]);
  for (const name of Object.keys(operations)) {
    const { prepare, run } = typeof kept[name] === 'function' ? { run: kept[name] } : kept[name];
    await prepare?.(WARM);
    await run(WARM);
  }
  return operations;
}

/** So many calls of each work load and compile what it takes. */
const WARM = 100;

async function operations() {
  if (contestant === 'limit') return limit(root);
  return contestant === 'limit-beside' ? beside() : peer(contestant, root);
}

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

let rounds;
try {
  rounds = new Rounds(await operations());
  answer({ ready: true });
} catch (error) {
  answer({ error: error.message });
  process.exit(1);
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    answer({ nanoseconds: await rounds.round(JSON.parse(line)) });
  } catch (error) {
    answer({ error: error.message });
  }
}
process.exit(0);
