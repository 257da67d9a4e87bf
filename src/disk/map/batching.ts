import { Part } from '../../runtime/part.ts';
import type * as Code from './batch-code.ts';

/** How a map takes a batch. A synchronous call may turn out to need it, and most programs never do. */
export const batching = new Part<typeof Code>('holdfast/transaction');
