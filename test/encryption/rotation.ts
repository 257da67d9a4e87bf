/** Whose items are written while keys change. */
export const ORIGIN = 'https://a.example';
/** Part of each value: never to be found in the root. */
export const CANARY = 'canary-of-rotation';
