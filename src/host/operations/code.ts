// What is done to whole origins, by operators and their programs. Loaded when it is first asked for.
export { Operations } from './operations.ts';
