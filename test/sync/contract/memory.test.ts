import { test } from 'vitest';
import { hubContract } from '../../../src/sync/contract/index.ts';
import { MemoryEngine, memoryHub } from '../../support/memory-hub.ts';

const engine = new MemoryEngine();

/** Memory outlives nothing, so that its crash is one of the connection only. */
async function crash(): Promise<void> {
  engine.away = true;
  await new Promise((resolve) => setTimeout(resolve));
  engine.away = false;
}

for (const { name, run } of hubContract()) {
  test(name, async ({ skip }) => {
    const reason = await run({ hub: async () => memoryHub(engine), crash });
    if (reason !== null) skip(reason);
  });
}
