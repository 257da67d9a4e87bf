// What files run on, beside the locks. Much code, so this module is loaded when the first file is asked for.
export * as algorithms from '../file-system/algorithms/index.ts';
export { BucketFiles } from './bucket-files.ts';
export { FilesMeter } from './files-meter.ts';
