import { runtime } from './runtime.ts';

/**
 * Whether an ArrayBuffer that the runtime's own libraries give costs as much as a small read does otherwise: Node has the
 * memory of each outside of its heap.
 */
export const areArrayBuffersDear: boolean = runtime === 'node';
