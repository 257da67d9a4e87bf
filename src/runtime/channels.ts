import { channel } from 'node:diagnostics_channel';

// What a program can subscribe to in order to see what Holdfast does. While nobody does, a check of `hasSubscribers` is
// all that it costs; messages are made after it.

export const writes = channel('holdfast:write');
export const locks = channel('holdfast:lock');
export const compactions = channel('holdfast:compaction');
export const syncs = channel('holdfast:sync');
export const warnings = channel('holdfast:warning');
