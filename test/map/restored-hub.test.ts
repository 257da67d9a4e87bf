import { describe, expect, test } from 'vitest';
import { baseOf, bootstrap, echo, pendingOf, receive, replicaOf, set } from './replica-fixture.ts';
import { incarnationOf } from './replica-region.ts';

const OWN = incarnationOf(1);

describe('a hub that is restored from a backup', () => {
  test('is given again also what only its snapshot had confirmed, and what came before', () => {
    const writes = [set(7, 1, 'confirmed'), set(7, 2, 'sent')];
    const [region, hub] = [replicaOf(OWN), replicaOf(incarnationOf(2))];
    const backup = baseOf(hub);
    receive(hub, OWN, writes, 0);
    region.local(set(7, 1, 'confirmed'));
    echo(region);
    region.local(set(7, 2, 'sent'));
    // The entry was trimmed: whether its operation was refused is not known.
    bootstrap(region, baseOf(hub));
    expect(region.rejections.items).toMatchObject([{ reason: 'unknown', operation: writes[1] }]);
    // Looking once more must not make it forget.
    bootstrap(region, baseOf(hub));
    bootstrap(region, backup);
    expect(pendingOf(region)).toEqual(writes);
  });
});
