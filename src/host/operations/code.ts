// What is done to whole origins, by operators and their programs. Loaded when it is first asked for.
export { restore } from '../backup/code.ts';
export { Operations } from './operations.ts';
