import { Part } from '../../runtime/part.ts';
import type * as Code from './code.ts';

/** IndexedDB's interfaces and what they do; whoever touches `indexedDB` or one of the interfaces cannot wait for it. */
export const indexedDb = new Part<typeof Code>('holdfast/indexed-db');
