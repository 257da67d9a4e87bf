import { Part } from '../../runtime/part.ts';
import type * as Code from './code.ts';

/** What encrypts: a host with that option needs it at once, and most programs never do. */
export const encryptionPart = new Part<typeof Code>('holdfast/encryption');
