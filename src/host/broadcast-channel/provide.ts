import { Part } from '../../runtime/part.ts';
import type * as Code from './code.ts';

/** Channels: whoever makes one cannot wait for their code. */
export const broadcastChannel = new Part<typeof Code>('holdfast/broadcast-channel');
