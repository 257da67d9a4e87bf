// What files run on, beside the locks. Much code, so this module is loaded when the first file is asked for.
export { FileTree } from '../disk/tree/file-tree.ts';
export * as algorithms from '../file-system/algorithms/index.ts';
export { FilesMeter } from './files-meter.ts';
