/*
 * What tries everything that can be enumerated - a kill at each system call, a power loss at each moment, each mutant -
 * takes more than CI has. `npm run test:thorough` tries all; `npm test`, and so CI, a part of each, another one in each
 * run: the whole is cut into as many pieces of one size as are tried, and of each piece one point is drawn.
 *
 *   HOLDFAST_THOROUGH=1  all of it
 *   HOLDFAST_SAMPLE=n    the part that the run has tried which said so
 *   HOLDFAST_POINT=n     of what a test enumerates this one alone; where something goes on in the background it may
 *                        be the one before or after it in another run
 */
import { mulberry32 } from './mulberry32.ts';

/** Whether this run tries everything. */
export const isThorough = process.env['HOLDFAST_THOROUGH'] === '1';

/** What decides which part a run tries; vitest.config.ts draws it for all of its processes. */
const seed = Number(process.env['HOLDFAST_SAMPLE'] ?? 1);

const { HOLDFAST_POINT: only } = process.env;

/** Of so many points one is tried, and so many at least. */
const EVERY = 10;
const LEAST = 6;

export interface Point<T> {
  readonly value: T;
  /** The command that tries this one again, for the message of a failure. */
  readonly again: string;
}

/** As many of all as CI tries where nothing else is said. */
export function partOf(count: number): number {
  return Math.max(LEAST, Math.ceil(count / EVERY));
}

/**
 * What is to be tried of a row of points.
 *
 * @param of - the test, as the end of a command that runs it: `thisTest()` where there is one
 * @param size - how many, unless the run is thorough
 */
export function sample<T>(all: readonly T[], of: string, size = partOf(all.length)): Point<T>[] {
  const points = all.map((value, index) => ({ value, again: `HOLDFAST_POINT=${index} npx vitest run ${of}` }));
  if (only !== undefined) return points.filter((_, index) => index === Number(only));
  return indicesOf(all.length, of, size).flatMap((index) => points[index] ?? []);
}

/** The same for what has a test of its own each, by whose name it is run again: `HOLDFAST_THOROUGH=1 npx vitest run FILE -t NAME`. */
export function some<T>(all: readonly T[], of: string, size = partOf(all.length)): T[] {
  return indicesOf(all.length, of, size).flatMap((index) => all.slice(index, index + 1));
}

/** Of seeds, the first of those in a row that are tried, and how many these are; those from 1 to `all` in a thorough run. */
export function someSeeds(all: number, of: string, size = partOf(all)): { readonly first: number; readonly count: number } {
  if (isThorough || size >= all) return { first: 1, count: all };
  return { first: 1 + Math.floor(randomOf(of)() * (all - size)), count: size };
}

function indicesOf(count: number, of: string, size: number): number[] {
  if (isThorough || size >= count) return Array.from({ length: count }, (_, index) => index);
  const random = randomOf(of);
  return Array.from({ length: size }, (_, piece) => {
    const [start, end] = [Math.floor((piece * count) / size), Math.floor(((piece + 1) * count) / size)];
    return start + Math.floor(random() * (end - start));
  });
}

/** Tests choose independently of each other. */
function randomOf(of: string): () => number {
  return mulberry32([...of].reduce((hash, letter) => Math.imul(hash, 31) + letter.charCodeAt(0), seed));
}
