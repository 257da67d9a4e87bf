import { Part } from '../../runtime/part.ts';
import type * as Code from './code.ts';

/** Named buckets and their interfaces; whoever touches `storageBuckets` or one of the interfaces cannot wait for it. */
export const bucketsPart = new Part<typeof Code>('holdfast/storage-buckets');
