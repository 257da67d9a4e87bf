/** What is written again and again: slots, each from one version, in turns. */
const SLOTS = 24;
const SLOT_BYTES = 3_000;

export const SIZE = SLOTS * SLOT_BYTES;

/** What is cut off, and written again, by some versions. */
export const CUT = 1_700;

export function isCut(version: number): boolean {
  return version % 7 === 0;
}

/** The bytes that a version changes. */
export function slotOf(version: number): { readonly start: number; readonly end: number } {
  const start = (version % SLOTS) * SLOT_BYTES;
  return { start, end: start + SLOT_BYTES };
}

/** All bytes, once a version was written. */
export function stateAfter(version: number): Buffer {
  const state = Buffer.alloc(SIZE);
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const last = version - ((version - slot) % SLOTS);
    state.fill(`canary of version ${last < 0 ? 0 : last} `, slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES);
  }
  return state;
}
