import { Part } from '../../runtime/part.ts';
import type * as Code from './map-replica.ts';

/** How a map follows a hub. A synchronous call may turn out to need it, and most programs never do. */
export const following = new Part<typeof Code>('holdfast/following');
