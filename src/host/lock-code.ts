// What locks run on. Much code, so this module is loaded when the first lock is asked for.
export { LockTable } from '../disk/locks/table.ts';
export { LocksMeter } from './locks-meter.ts';
