import type { Transport } from '../coordination.ts';
import type { Route } from '../line.ts';
import type { CoordinatorKey } from '../store.ts';
import type { RegionPeer } from './region-peer.ts';

/** Between the region and the process in an address; no name of a region has it. */
const SEPARATOR = '/';

/** The region of an owner's address. */
export function regionOf(address: string): string {
  return address.slice(0, address.indexOf(SEPARATOR));
}

/** Calls go to processes of this region by its own ways, and to other regions as such. */
export class RegionTransport implements Transport {
  readonly address: string;
  readonly #region: string;
  readonly #local: Transport;
  readonly #peers: ReadonlyMap<string, RegionPeer>;

  constructor(region: string, local: Transport, peers: ReadonlyMap<string, RegionPeer>) {
    this.#region = region;
    this.#local = local;
    this.#peers = peers;
    this.address = region + SEPARATOR + local.address;
  }

  ready(): Promise<void> {
    return this.#local.ready();
  }

  async reach(address: string, isDoubted: boolean): Promise<Route | null> {
    const region = regionOf(address);
    if (region === this.#region) return await this.#local.reach(address.slice(region.length + 1), isDoubted);
    const peer = this.#peers.get(region);
    return peer !== undefined && (await peer.answers()) ? peer : null;
  }

  /** Who serves a class is known of this region; others are asked to find somebody. */
  async find(key: CoordinatorKey): Promise<Route | null> {
    const near = await this.#local.find(key);
    if (near !== null) return near;
    for (const peer of this.#peers.values()) if (await peer.answers()) return peer;
    return null;
  }

  close(): Promise<void> {
    return this.#local.close();
  }
}
