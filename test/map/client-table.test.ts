import { describe, expect, test } from 'vitest';
import { ClientTable } from '../../src/disk/replica/client-table.ts';
import { baseOf, bootstrap, pendingOf, receive, replicaOf, set, start } from './replica-fixture.ts';
import { incarnationOf } from './replica-region.ts';

const OWN = incarnationOf(1);

describe('the table of clients', () => {
  test('does not grow with 100,000 starts of roots of their own', () => {
    const replica = replicaOf(OWN);
    start(replica, 1000, 100_000);
    expect(replica.position).toBe(100_000);
    expect(replica.clients.size).toBe(ClientTable.most);
    expect(baseOf(replica).length).toBeLessThan(64 * 1024);
  });

  test('gives no second turn to what it has forgotten, however late it comes', () => {
    const replica = replicaOf(OWN);
    const late = incarnationOf(500);
    expect(receive(replica, late, [set(500, 1, 'first')], 0)).toBe(1);
    start(replica, 1000, ClientTable.most);
    expect(replica.clients.knows(late)).toBe(false);
    expect(receive(replica, late, [set(500, 1, 'first')], 0)).toBe(0);
    expect(receive(replica, late, [set(500, 1, 'first')], replica.clients.horizon - 1)).toBe(0);
    // Whoever had everything by then, and has it pending still, has not sent it before.
    expect(receive(replica, late, [set(500, 2, 'later')], replica.position)).toBe(1);
  });

  test('is the same, and forgets the same, in a region that began with a snapshot', () => {
    const whole = replicaOf(OWN);
    start(whole, 1000, 1500);
    const late = replicaOf(incarnationOf(2));
    bootstrap(late, baseOf(whole));
    for (const replica of [whole, late]) start(replica, 5000, 700);
    expect(Buffer.compare(baseOf(whole), baseOf(late))).toBe(0);
  });
});

describe('a region whose incarnation was forgotten', () => {
  test('sends what is pending under the same incarnation from 1 on, when it saw all that happened', () => {
    const replica = replicaOf(OWN);
    replica.local(set(7, 1, 'own'));
    receive(replica, OWN, [set(7, 1, 'own')], 0);
    replica.local(set(7, 2, 'own again'));
    start(replica, 1000, ClientTable.most);
    expect(replica.pending.at(0)).toMatchObject({ incarnation: OWN, number: 1 });
    expect([replica.diverged, replica.rejections.size]).toEqual([false, 0]);
    expect(receive(replica, OWN, [set(7, 2, 'own again')], replica.position)).toBe(1);
    expect(replica.pending.length).toBe(0);
  });

  test('is told that nobody knows, when it was away: nothing is applied twice, nothing disappears', () => {
    const others = replicaOf(incarnationOf(3));
    const away = replicaOf(OWN);
    for (const replica of [away, others]) {
      if (replica === away) away.local(set(7, 1, 'own'));
      receive(replica, OWN, [set(7, 1, 'own')], 0);
    }
    away.local(set(7, 2, 'sent or not'));
    start(others, 1000, ClientTable.most);
    bootstrap(away, baseOf(others));
    expect(away.pending.length).toBe(0);
    // Nor can it tell a hub that has forgotten its name from one that was restored to what was before it.
    expect(away.rejections.items).toMatchObject([{ reason: 'unknown', operation: { sequence: 1 } }, { reason: 'unknown', operation: { sequence: 2 } }]);
    expect(away.tail.items).toEqual([]);
  });

  test('does not give again what was confirmed, when a copy of it has begun with 1 again meanwhile', () => {
    const writes = [set(7, 1, 'own'), set(7, 2, 'own too')];
    const copy = replicaOf(OWN);
    const away = replicaOf(OWN);
    for (const replica of [away, copy]) {
      for (const write of writes) replica.local(write);
      receive(replica, OWN, writes, 0);
    }
    start(copy, 1000, ClientTable.most);
    expect(receive(copy, OWN, [set(8, 1, 'of the copy')], copy.position)).toBe(1);
    bootstrap(away, baseOf(copy));
    expect(away.pending.length).toBe(0);
    expect(away.rejections.items.map(({ reason, operation }) => [reason, operation])).toEqual(writes.map((write) => ['unknown', write]));
  });

  test('gives again what a restored hub has lost of it, whatever a copy has done under its name since', () => {
    const lost = [set(7, 1, 'own'), set(7, 2, 'lost')];
    const hub = replicaOf(incarnationOf(3));
    const region = replicaOf(OWN);
    for (const replica of [hub, region]) start(replica, 1000, ClientTable.most + 1);
    for (const write of lost) region.local(write);
    receive(region, OWN, lost, region.position);
    receive(hub, OWN, [set(8, 1, 'of the copy')], hub.position);
    bootstrap(region, baseOf(hub));
    expect(pendingOf(region)).toEqual([lost[1]]);
    expect(region.diverged).toBe(true);
    // The copy may have done that.
    expect(region.rejections.items).toMatchObject([{ reason: 'unknown', operation: { sequence: 1 } }]);
  });

  test('keeps what it never sent: a root that is new to its hub', () => {
    const others = replicaOf(incarnationOf(3));
    start(others, 1000, 2 * ClientTable.most);
    const [fresh, maybeSent] = [replicaOf(OWN), replicaOf(OWN)];
    for (const replica of [fresh, maybeSent]) replica.local(set(7, 1, 'early'));
    maybeSent.send();
    for (const replica of [fresh, maybeSent]) bootstrap(replica, baseOf(others));
    expect([fresh.pending.length, fresh.diverged, fresh.rejections.size]).toEqual([1, false, 0]);
    expect([maybeSent.pending.length, maybeSent.rejections.size]).toEqual([0, 1]);
  });
});
