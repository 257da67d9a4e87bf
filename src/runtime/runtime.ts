/** The runtime that this realm is in. Nothing outside this folder may ask. */
export type RuntimeName = 'node' | 'deno' | 'bun';

export const runtime: RuntimeName = 'Deno' in globalThis ? 'deno' : 'Bun' in globalThis ? 'bun' : 'node';
