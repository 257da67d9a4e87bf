import { Part } from '../../runtime/part.ts';
import type * as Code from './transact.ts';

/** What `client.transaction()` does. */
export const transaction = new Part<typeof Code>('holdfast/transaction');
