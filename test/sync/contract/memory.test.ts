import { test } from 'vitest';
import { hubContract } from '../../../src/sync/contract/index.ts';
import { BoundedEngine, MemoryEngine, memoryHub, UNNAMED_BYTES } from '../../support/memory-hub.ts';

const engine = new MemoryEngine();

const bounded = { unnamedBytes: UNNAMED_BYTES, hub: async () => memoryHub(new BoundedEngine()) };

/** Memory outlives nothing, so that its crash is one of the connection only. */
async function crash(): Promise<void> {
  engine.away = true;
  await new Promise((resolve) => setTimeout(resolve));
  engine.away = false;
}

for (const { name, run } of hubContract()) {
  test(name, async ({ skip }) => {
    const reason = await run({ hub: async () => memoryHub(engine), crash, bounded });
    if (reason !== null) skip(reason);
  });
}
