import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/sync/provided.ts';
import type { BroadcastChannel } from '../../src/broadcast-channel/broadcast-channel.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { Hub } from '../../src/sync/hub.ts';
import type { SyncOptions } from '../../src/index.ts';
import { atEnd, temporaryDirectory } from '../host/support.ts';
import { until } from './until.ts';

export const ORIGIN = 'https://app.example';
export const LOG = `${ORIGIN} channels`;

export interface Region {
  readonly host: StorageHost;
  open(name: string, origin?: string): BroadcastChannel;
}

/** A region of a hub, by default with a root of its own. */
export function regionOf(hub: Hub, name: string, root = temporaryDirectory(), options: Partial<SyncOptions> = {}): Region {
  const host = new StorageHost({ root, sync: { hub, region: name, broadcast: true, ...options } });
  atEnd(() => host.close());
  return {
    host,
    open(channel, origin = ORIGIN) {
      const opened = new (host.origin(origin).BroadcastChannel)(channel);
      atEnd(() => opened.close());
      return opened;
    },
  };
}

/** What it hears; 'error' for a messageerror. */
export function hearing(channel: BroadcastChannel): unknown[] {
  const heard: unknown[] = [];
  channel.onmessage = ({ data }) => heard.push(data);
  channel.onmessageerror = () => heard.push('error');
  return heard;
}

/** Until each of them follows the hub: what is posted then reaches all. */
export async function linked(...regions: readonly Region[]): Promise<void> {
  const heard = regions.map(({ open }) => hearing(open('link')));
  for (const { open } of regions) {
    const tester = open('link');
    const before = heard.map(({ length }) => length);
    await until(() => {
      tester.postMessage('here');
      return heard.every(({ length }, index) => length > (before[index] ?? 0));
    });
    tester.close();
  }
}
