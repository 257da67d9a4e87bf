import timers from 'node:timers';
import { peerOptions } from '../support/peer-service.ts';
import type { PeerOptions } from './peer-fixture.ts';

// Takes late timers away from a peer that asks for it; to be imported before what takes its timers from the runtime.

export const options = peerOptions<PeerOptions>();

if (options.polling === 'never') {
  const { setTimeout } = timers;
  const onlySoon = (callback: () => void, delay: number): NodeJS.Timeout => setTimeout(delay < 1000 ? callback : () => {}, delay);
  timers.setTimeout = onlySoon as typeof setTimeout;
}
