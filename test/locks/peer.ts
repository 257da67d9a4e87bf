import { bundleFixture } from '../support/bundle.ts';
import { Peer, type PeerKind } from '../support/peer.ts';
import type { commands, PeerOptions } from './peer-fixture.ts';

export type { PeerKind };

const fixture = bundleFixture(new URL('./peer-fixture.ts', import.meta.url));

export type LockPeer = Peer<typeof commands>;

/** A realm elsewhere with the locks of a bucket. */
export async function startPeer(kind: PeerKind, options: PeerOptions): Promise<LockPeer> {
  return Peer.start(kind, await fixture, options);
}
