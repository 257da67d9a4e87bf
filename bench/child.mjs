// A contestant's process: `child.mjs <area> <contestant> <root>`. One line of JSON in, one out.
import { createInterface } from 'node:readline';
import { Rounds } from './measure.mjs';

const [area, contestant, root] = process.argv.slice(2);

async function operations() {
  if (contestant === 'limit') return (await import(`./limits/${area}.mjs`)).operations(root);
  const { open } = await import(`./contestants/${contestant}.mjs`);
  return (await import(`./areas/${area}.mjs`)).operations(await open(root));
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
