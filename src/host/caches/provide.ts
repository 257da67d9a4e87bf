import { Part } from '../../runtime/part.ts';
import type * as Code from './code.ts';

/** The Cache API's interfaces and what they do; whoever touches `caches` or one of the interfaces cannot wait for it. */
export const cachesPart = new Part<typeof Code>('holdfast/caches');
