import { vi } from 'vitest';

/** Resolves once the condition holds; the time is only what a loaded machine may need. */
export async function until(holds: () => boolean): Promise<void> {
  await vi.waitUntil(holds, { timeout: 60_000, interval: 5 });
}
