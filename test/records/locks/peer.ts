import { bundleFixture } from '../../support/bundle.ts';
import { Peer } from '../../support/peer.ts';
import type { commands } from './peer-fixture.ts';

export type PeerKind = 'process' | 'worker';

const fixture = bundleFixture(new URL('./peer-fixture.ts', import.meta.url));

export type DatabasePeer = Peer<typeof commands>;

/** A realm elsewhere with the locks of a bucket's databases. */
export async function startPeer(kind: PeerKind, bucket: string): Promise<DatabasePeer> {
  return Peer.start(kind, await fixture, { bucket });
}
