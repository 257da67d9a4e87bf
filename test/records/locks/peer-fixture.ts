import type { Claim, Wanted } from '../../../src/disk/records/database-locks.ts';
import { BucketLocks } from '../../../src/disk/records/locks/bucket-locks.ts';
import { bucketAt } from '../../locks/bucket.ts';
import { disconnect, peerOptions, serve, tell } from '../../support/peer-service.ts';

// A realm that does what it is told with the locks of databases, in a process or a worker thread of its own.

const locks = new BucketLocks(bucketAt(peerOptions<{ readonly bucket: string }>().bucket));
const claims = new Map<number, Claim>();
let ids = 0;

/** What a connection does when it is told that somebody wants to be alone. */
export type Answer = 'stays' | 'closes' | 'is silent';

export const commands = {
  connect(name: string, answer: Answer): number {
    const id = ++ids;
    const claim = locks.connect(name, ({ newVersion }: Wanted) => {
      tell({ event: 'wanted', id, newVersion });
      if (answer === 'closes') claim.release();
      return answer === 'is silent' ? new Promise(() => {}) : Promise.resolve();
    });
    return keep(id, claim);
  },
  queue(name: string): number {
    return follow((id) => locks.queue(name).then((claim) => keep(id, claim)));
  },
  alone(name: string, newVersion: number | null, own?: number): number {
    const ownClaim = own === undefined ? undefined : claims.get(own);
    return follow((id) => locks.alone(name, { newVersion }, () => tell({ event: 'blocked', id }), ownClaim).then((claim) => keep(id, claim)));
  },
  write(name: string): number {
    const claim = locks.write(name);
    return follow((id) => (keep(id, claim), claim.granted));
  },
  read(name: string): number {
    const claim = locks.read(name);
    return follow((id) => (keep(id, claim), claim.granted));
  },
  writersBefore(name: string): number {
    return follow(() => locks.writersBefore(name));
  },
  hold: (name: string, file: number): number => keep(++ids, locks.hold(name, file)),
  isHeld: (name: string, file: number): boolean => locks.isHeld(name, file),
  release: (id: number): void => claims.get(id)?.release(),
  isLost: (id: number): boolean | undefined => claims.get(id)?.isLost,
  busy: (): boolean => locks.busy,
  close: (): Promise<void> => locks.close(),
  disconnect,
};

/** Tells `granted` or `failed` when that has come. */
function follow(begin: (id: number) => Promise<unknown> | null): number {
  const id = ++ids;
  (begin(id) ?? Promise.resolve()).then(
    () => tell({ event: 'granted', id }),
    (error: Error) => tell({ event: 'failed', id, message: error.message }),
  );
  return id;
}

function keep(id: number, claim: Claim): number {
  claims.set(id, claim);
  claim.onLost = () => tell({ event: 'lost', id });
  return id;
}

serve(commands);
