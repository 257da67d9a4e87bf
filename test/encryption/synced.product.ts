// What the mutants of a hub's handover are made of.
export { HoldfastError } from '../../src/runtime/holdfast-error.ts';
export { SealedConnection } from '../../src/sync/sealed/sealed-connection.ts';
export { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
