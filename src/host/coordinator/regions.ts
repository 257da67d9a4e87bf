import type { Call } from '../../coordinator/call.ts';
import type { Transport } from '../../coordinator/coordination.ts';
import type { Reply } from '../../coordinator/messages.ts';
import { RegionHandler } from '../../coordinator/regions/region-handler.ts';
import { IndexLog } from '../../coordinator/regions/index-log.ts';
import { RegionAlarms } from '../../coordinator/regions/region-alarms.ts';
import type { PeerTls } from '../../coordinator/regions/post.ts';
import { within } from '../../coordinator/regions/pause.ts';
import { type PeerRegion, RegionPeer } from '../../coordinator/regions/region-peer.ts';
import { RegionStore } from '../../coordinator/regions/region-store.ts';
import { regionOf, RegionTransport } from '../../coordinator/regions/region-transport.ts';
import type { CoordinatorKey } from '../../coordinator/store.ts';
import { NOTE } from '../../disk/coordinator/alarm-records.ts';
import { requireClassName, requireName } from '../../disk/coordinator/coordinator-place.ts';
import type { BucketPlace } from '../../disk/place.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { uptime } from '../../runtime/timers.ts';
import type { Hub } from '../../sync/hub.ts';
import { bad, givenOptions } from '../option-checks.ts';
import { parseOrigin, type OriginLike } from '../origin.ts';
import { logNameOf, registerNameOf } from './log-names.ts';
import type { Kept } from './kept.ts';
import { RegionLogs, type RegionKeys } from './region-logs.ts';

/** Coordinators of which one instance lives at a time in all regions that name one hub; the hub keeps them. */
export interface CoordinatorRegions {
  /** Where they are kept, and who owns them: as for `sync`. */
  readonly hub: Hub;
  /** The name of this region: 1 to 63 of `a`–`z`, `0`–`9` and `-`. */
  readonly region: string;
  /** What other regions show when they call this one, of 16 printable characters at least; several while one is replaced. */
  readonly token: string | readonly string[];
  /**
   * The other regions: where their `handler` is mounted, what is to be shown there, and for `https:` what `tls.connect`
   * takes of `ca` (certificates to trust instead of the system's, in PEM), `cert`, `key`, `servername`, `rejectUnauthorized`.
   */
  readonly peers: Readonly<Record<string, { readonly url: string | URL; readonly token: string; readonly tls?: PeerTls | undefined }>>;
  /**
   * `confirmed` (default): before a call that has only read is answered, the hub is asked whether somebody else has taken
   * over. `{ leased: ms }`: for so long (at most 60,000) after a write that counted it is not; whoever takes over then waits
   * for so long, and it rests on clocks whose rates differ by a hundredth at most, and never stop. Writes never rest on clocks.
   */
  readonly reads?: 'confirmed' | { readonly leased: number };
  /**
   * The only origin whose coordinators these are, for a token of the hub that is bound to it: when they are to be woken is
   * in a log of the origin then. The same in all regions. Where the host encrypts it has to be given: nothing in the hub
   * is of several origins then.
   */
  readonly origin?: OriginLike | undefined;
}

const REGION = /^[a-z0-9-]{1,63}$/;
const TOKEN = /^[\x21-\x7e]{16,}$/;
const LONGEST_LEASE = 60_000;
const TLS = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'];

/** The log of when all coordinators that a hub keeps are to be woken, behind an origin and a space those of it. No origin has its name. */
const ALARMS = 'coordinators alarms';

/** How long a hub may take to answer whether it is there, and how long that is remembered, in milliseconds. */
const HUB_ANSWERS_MS = 3000;
const HUB_SEEN_MS = 1000;

/** What regions change of how coordinators are kept, found and called. */
export class Regions implements Kept {
  readonly #logs: RegionLogs;
  readonly #region: string;
  readonly #tokens: readonly string[];
  readonly #peers: ReadonlyMap<string, RegionPeer>;
  readonly #lease: number;
  /** The only one whose coordinators they are; undefined: any. */
  readonly #origin: string | undefined;
  readonly #alarmsLog: string;
  readonly alarms: RegionAlarms;
  #sawHubAt = -Infinity;

  /**
   * @param keysOf - what encrypts all of an origin that is in the hub; undefined: nothing is
   * @throws HoldfastError bad-option
   */
  constructor(given: CoordinatorRegions, keysOf?: (origin: string) => RegionKeys) {
    const { hub, region, token, peers, reads = 'confirmed', origin } = givenOptions(given, ['hub', 'region', 'token', 'peers', 'reads', 'origin'], "Option 'regions'");
    if (typeof hub?.connect !== 'function') throw bad("Option 'regions.hub' must be a hub, such as embeddedHub() of holdfast/sync.");
    this.#region = requireRegion(region);
    this.#tokens = [token].flat().map((each) => requireToken(each));
    if (this.#tokens.length === 0) throw bad("Option 'regions.token' is empty: nobody could call this region.");
    this.#peers = checkPeers(peers, region);
    this.#lease = leaseOf(reads);
    this.#origin = origin === undefined ? undefined : parseOrigin(origin);
    if (keysOf !== undefined && this.#origin === undefined) throw bad("The host encrypts: option 'regions.origin' has to name the origin whose coordinators, and whose keys, these are.");
    this.#logs = new RegionLogs(hub, this.#origin === undefined ? undefined : keysOf?.(this.#origin));
    this.#alarmsLog = this.#origin === undefined ? ALARMS : `${this.#origin} ${ALARMS}`;
    this.alarms = new RegionAlarms(this.#logs.log(this.#alarmsLog), this.#origin);
  }

  /** The origin that is meant where none is given, or the given one. @throws HoldfastError bad-option where its coordinators are not for here */
  originOf(given: string | undefined): string | undefined {
    if (given === undefined || this.#origin === undefined || given === this.#origin) return given ?? this.#origin;
    throw bad(`These coordinators are of ${this.#origin} only, as option 'regions.origin' says, not of ${given}.`);
  }

  openStore(key: CoordinatorKey, quota: number): RegionStore {
    const announce = (time: number, stamp: number): Promise<void> => this.alarms.announce(key, time, stamp);
    return new RegionStore(this.#logs.log(logNameOf(key)), { quota, lease: this.#lease, announce, register: () => this.#register(key) });
  }

  register(origin: string): IndexLog {
    return new IndexLog(this.#logs.log(registerNameOf(origin)));
  }

  /** However often, and by whomever, it is one entry as long as the hub knows its id. */
  async #register(key: CoordinatorKey): Promise<void> {
    const id = await this.#logs.idOf(logNameOf(key));
    await this.register(key.origin).append(NOTE, { key, time: 0, epoch: 0 }, id);
  }

  /** Of this one its processes say so themselves. */
  async answers(address: string): Promise<boolean> {
    return (await this.#peers.get(regionOf(address))?.answers().catch(() => false)) === true;
  }

  /** Whether the hub has answered just now. */
  async #reachesHub(): Promise<boolean> {
    if (uptime() - this.#sawHubAt < HUB_SEEN_MS) return true;
    const asked = this.#logs.log(this.#alarmsLog).head().then(
      () => true,
      () => false,
    );
    const isThere = await within(HUB_ANSWERS_MS, asked, () => false);
    if (isThere) this.#sawHubAt = uptime();
    return isThere;
  }

  transport(local: Transport): Transport {
    return new RegionTransport(this.#region, local, this.#peers);
  }

  handler(serve: (key: CoordinatorKey, call: Call) => Promise<Reply>): RegionHandler {
    const check = ({ origin, className, name }: CoordinatorKey): void => {
      this.originOf(origin);
      requireClassName(className);
      requireName(name);
    };
    return new RegionHandler({ tokens: this.#tokens, check, serve, isAble: () => this.#reachesHub() });
  }
}

/** Files, databases and all else that is on one machine: a coordinator that may live on any has none, and learns so when it makes something. */
export const noStorage: BucketPlace = {
  path: '/nonexistent/holdfast-coordinator-in-a-hub',
  ensure() {
    throw bad('A coordinator that a hub keeps has localStorage only: files, databases, caches, channels and locks are on one machine.');
  },
};

function requireRegion(region: unknown): string {
  if (typeof region === 'string' && REGION.test(region)) return region;
  throw bad(`The name of a region has 1 to 63 of a-z, 0-9 and '-', not ${JSON.stringify(region)}.`);
}

function requireToken(token: unknown): string {
  if (typeof token === 'string' && TOKEN.test(token)) return token;
  throw bad("A token between regions has 16 printable ASCII characters at least, and no spaces.");
}

function checkPeers(given: CoordinatorRegions['peers'], self: string): Map<string, RegionPeer> {
  if (typeof given !== 'object' || given === null) throw bad("Option 'regions.peers' is an object: the other regions by their names.");
  const peers = new Map<string, RegionPeer>();
  for (const [name, peer] of Object.entries(given)) {
    if (requireRegion(name) === self) throw bad(`Option 'regions.peers' names '${self}', which is this region.`);
    const { url, token, tls } = givenOptions(peer, ['url', 'token', 'tls'], `The region '${name}'`);
    const region: PeerRegion = { url: requireUrl(url, name), token: requireToken(token), tls: tls && givenOptions(tls, TLS, `Option 'tls' of the region '${name}'`) };
    if (tls !== undefined && !region.url.startsWith('https:')) throw bad(`Option 'tls' of the region '${name}' is for urls that begin with https:.`);
    peers.set(name, new RegionPeer(name, region, uptime));
  }
  return peers;
}

/** Tokens and data in the clear only on this machine. */
function requireUrl(given: unknown, name: string): string {
  const url = parsed(given);
  const isLocal = url !== null && /^(localhost|\[::1\]|127\.[0-9.]+)$/.test(url.hostname);
  if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLocal))) throw bad(`The url of the region '${name}' begins with https:; with http: only on this machine.`);
  if (url.username !== '' || url.password !== '') throw bad(`The url of the region '${name}' may hold no user and no password; there is a token.`);
  return url.href;
}

function parsed(given: unknown): URL | null {
  try {
    return new URL(String(given));
  } catch {
    return null;
  }
}

function leaseOf(reads: unknown): number {
  if (reads === 'confirmed') return 0;
  const leased: unknown = typeof reads === 'object' && reads !== null ? Reflect.get(reads, 'leased') : undefined;
  if (Number.isSafeInteger(leased) && (leased as number) > 0 && (leased as number) <= LONGEST_LEASE) return leased as number;
  throw new HoldfastError('bad-option', `Option 'regions.reads' is 'confirmed', or { leased: } milliseconds up to ${LONGEST_LEASE}.`);
}
