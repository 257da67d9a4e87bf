import { channel } from 'node:diagnostics_channel';

// Those of channels.ts that only what is loaded later has something to say in.

export const checkpoints = channel('holdfast:checkpoint');
