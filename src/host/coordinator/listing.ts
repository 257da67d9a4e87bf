/** What lists coordinators, wherever they are kept. */
export { listCoordinators } from './list-coordinators.ts';
export { listKept } from './list-kept.ts';
export { KeptInHub } from './kept.ts';
