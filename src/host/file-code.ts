// What files run on, beside the locks. Much code, so this module is loaded when the first file is asked for.
export * as algorithms from '../file-system/algorithms/index.ts';
export { createAccount, createSharedFiles, createTree, usageOf } from './bucket-files.ts';
export { FilesMeter } from './files-meter.ts';
// For who verifies a root: a second way to them would cut what a first file loads into two modules.
export { AccountMachine } from '../disk/quota/machine.ts';
export { weighBucket } from '../disk/quota/weigh.ts';
