import { AlarmKeeper } from '../../coordinator/alarm-keeper.ts';
import { Coordination } from '../../coordinator/coordination.ts';
import type { Serving, Transport } from '../../coordinator/coordination.ts';
import { MANY_FAILURES } from '../../coordinator/own-alarm.ts';
import { Rounds } from '../../coordinator/rounds.ts';
import type { ServedClass } from '../../coordinator/served.ts';
import type { Line } from '../../coordinator/line.ts';
import { systemClock } from '../../coordinator/clock.ts';
import type { Clock, CoordinatorKey } from '../../coordinator/store.ts';
import { createStub } from '../../coordinator/stub.ts';
import type { Stub } from '../../coordinator/stub.ts';
import { AlarmIndex } from '../../disk/coordinator/alarm-index.ts';
import { CoordinatorPlace, requireClassName, requireName } from '../../disk/coordinator/coordinator-place.ts';
import { openCoordinator } from '../../disk/coordinator/keyed-journal.ts';
import { NestedBucket } from '../../disk/coordinator/nested-bucket.ts';
import { DEFAULT_QUOTA } from '../../disk/map/map-state.ts';
import { Code } from '../../runtime/code.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { BucketOwner } from '../bucket.ts';
import { Meter } from '../meter.ts';
import { bad, givenOptions } from '../option-checks.ts';
import { currentClient } from '../context.ts';
import { parseOrigin } from '../origin.ts';
import type { OriginLike } from '../origin.ts';
import { ownerOf, StorageHost } from '../storage-host.ts';
import type { StorageClient } from '../storage-client.ts';
import { Coordinator } from './coordinator.ts';
import { openStorage } from './coordinator-bucket.ts';
import { noStorage, Regions } from './regions.ts';
import { regionKeysOf } from './region-logs.ts';
import type { CoordinatorRegions } from './regions.ts';
import { openTransport } from './transport.ts';
import type { CoordinatorListing } from './types.ts';

/** All coordinators of this realm share its event loop. */
const rounds = new Rounds();

/** Who looks at all of them does so rarely. */
const listing = new Code(() => import('./listing.ts'));

/** A class of coordinators. */
export interface CoordinatorClass<Object extends Coordinator = Coordinator> {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- what a user's constructor takes is our own state
  new (state: any): Object;
  readonly concurrency?: 'gated' | 'serial';
}

/** An alarm that fails again and again. */
export interface CoordinatorProblem extends CoordinatorKey {
  /** How often in a row. */
  readonly attempt: number;
  readonly error: unknown;
}

export interface CoordinatorsOptions {
  /** Absent: they live, and are kept, in the host's root, on one machine. */
  readonly regions?: CoordinatorRegions;
}

/** What tests replace. @internal */
export interface Replaced extends CoordinatorsOptions {
  readonly clock?: Clock;
  readonly connect?: (serve: Serving) => Transport;
  /** How long another process may be silent before it counts as hung, in milliseconds. */
  readonly suspectAfter?: number;
  /** How long a call looks for somebody who runs its coordinator, in milliseconds. */
  readonly patience?: number;
}

/** How tests reach what is behind. */
export const coordinationOf = new WeakMap<object, { readonly coordination: Coordination<StorageClient>; readonly keeper: AlarmKeeper }>();

/**
 * The coordinators of a host's root, for calls of all of them, and for running those whose classes are given. Any number
 * of processes and threads may serve the same classes, from the same code: each coordinator runs in one of them. Where
 * classes are given it listens at once, on a socket in the root, which is made; else it touches no disk before the first
 * call. It keeps no process alive.
 */
export class Coordinators {
  readonly #host: StorageHost;
  readonly #owner: BucketOwner;
  readonly #names = new Map<object, string>();
  readonly #coordination: Coordination<StorageClient>;
  readonly #alarms: AlarmIndex;
  readonly #regions: Regions | null;
  readonly #keeper: AlarmKeeper;
  readonly #handle: ((request: Request) => Promise<Response>) | null;
  #closing: Promise<void> | undefined;

  /**
   * @param classes - the classes that this process runs, by the names that they have on disk; `{}`: none
   * @throws HoldfastError bad-option; closed where the host is
   */
  constructor(host: StorageHost, classes: Readonly<Record<string, CoordinatorClass>>, options?: CoordinatorsOptions);
  /** @internal */
  constructor(host: StorageHost, classes: Readonly<Record<string, CoordinatorClass>>, replaced: Replaced);
  constructor(host: StorageHost, classes: Readonly<Record<string, CoordinatorClass>>, replaced: Replaced = {}) {
    if (!(host instanceof StorageHost)) throw bad('Coordinators are given a StorageHost and their classes: new Coordinators(host, { Counter }).');
    const owner = ownerOf(host);
    const { root } = owner;
    if (root.shared !== undefined) throw bad('Coordinators need a root on a disk of one machine: the option shared excludes them.');
    this.#host = host;
    this.#owner = owner;
    this.#alarms = new AlarmIndex(root);
    const { clock = systemClock, connect, suspectAfter, patience, regions: given } = givenOptions(replaced, ['clock', 'connect', 'suspectAfter', 'patience', 'regions'], 'Coordinators');
    const regions = given === undefined ? null : new Regions(given, regionKeysOf(root));
    this.#regions = regions;
    const quotaOf = (key: CoordinatorKey): number => owner.quotaOf(key.origin).map ?? DEFAULT_QUOTA;
    const durability = { durability: root.durability };
    const surroundings = {
      clock,
      rounds,
      alarms: regions?.alarms ?? this.#alarms,
      openStore: (key: CoordinatorKey) =>
        regions?.openStore(key, quotaOf(key)) ??
        openCoordinator(root, key, {
          ...durability,
          quota: quotaOf(key),
          onCompaction: (compaction) => new Meter(owner.counts, root.path, key.origin).compacted(compaction),
        }),
      openStorage: (key: CoordinatorKey, map: Parameters<typeof openStorage>[3], hold: Parameters<typeof openStorage>[4]) =>
        openStorage(owner, key.origin, regions === null ? new NestedBucket(root, () => new CoordinatorPlace(root, key)) : noStorage, map, hold),
    };
    const served = this.#register(classes);
    const local = connect ?? ((serve: Serving) => openTransport(root, [...served.keys()], serve, suspectAfter));
    this.#coordination = new Coordination(served, surroundings, (serve) => regions?.transport(local(serve)) ?? local(serve), patience);
    const handler = regions?.handler((key, call) => this.#coordination.pass(key, call));
    this.#handle = handler === undefined ? null : (request) => handler.handle(request);
    this.#keeper = new AlarmKeeper(regions?.alarms ?? this.#alarms, this.#coordination, clock);
    owner.users.add(this);
    if (served.size > 0) this.#serve();
    coordinationOf.set(this, { coordination: this.#coordination, keeper: this.#keeper });
  }

  /** Whoever cannot listen cannot run anything, and its own calls are told why. */
  #serve(): void {
    this.#coordination.listen().catch(() => undefined);
    this.#keeper.start();
  }

  #register(classes: unknown): Map<string, ServedClass<StorageClient>> {
    if (typeof classes !== 'object' || classes === null) throw bad(`Coordinators are given their classes as an object, such as { Counter }, not ${String(classes)}.`);
    const served = new Map<string, ServedClass<StorageClient>>();
    for (const [name, Class] of Object.entries(classes as Record<string, unknown>)) {
      requireClassName(name);
      if (typeof Class !== 'function' || !(Class.prototype instanceof Coordinator)) throw bad(`'${name}' is no class that extends Coordinator.`);
      const concurrency: unknown = Reflect.get(Class, 'concurrency');
      if (concurrency !== undefined && concurrency !== 'gated' && concurrency !== 'serial') throw bad(`The concurrency of '${name}' must be 'gated' or 'serial', not ${String(concurrency)}.`);
      this.#names.set(Class, name);
      served.set(name, Class as ServedClass<StorageClient>);
    }
    return served;
  }

  /**
   * A stub of the coordinator with this name, whether or not it has ever been; does no I/O. It never breaks: calls find
   * whoever runs the coordinator by then. Calls through stubs of one process begin in their order.
   *
   * @throws HoldfastError bad-option, closed; no-context without an origin outside `host.run()`
   * @throws DOMException SecurityError for an opaque origin
   */
  get<Object extends Coordinator>(origin: OriginLike, of: CoordinatorClass<Object> | string, name: string): Stub<Object>;
  get<Object extends Coordinator>(of: CoordinatorClass<Object> | string, name: string): Stub<Object>;
  get(...args: readonly unknown[]): unknown {
    const [origin, of, name] = args.length > 2 ? args : [currentOrigin(), ...args];
    const key = { origin: parseOrigin(origin as OriginLike), className: this.#nameOf(of), name: requireName(name) };
    this.#regions?.originOf(key.origin);
    this.#coordination.requireThere();
    let line: Line | undefined;
    return createStub(() => {
      this.#coordination.requireThere();
      return (line ??= this.#coordination.line(key));
    });
  }

  #nameOf(of: unknown): string {
    if (typeof of === 'string') {
      requireClassName(of);
      return of;
    }
    const name = typeof of === 'function' ? this.#names.get(of) : undefined;
    if (name === undefined) throw bad('A class that is not served here is known by its name only: give the string under which others serve it.');
    return name;
  }

  /**
   * Answers calls of other regions, for mounting at the url that they have of this one:
   * `app.post('/coordinators', (c) => coordinators.handler(c.req.raw))`. Looks at the token before it reads anything.
   *
   * @throws HoldfastError bad-option without the option `regions`
   */
  get handler(): (request: Request) => Promise<Response> {
    if (this.#handle === null) throw bad("Coordinators have a handler for other regions only where the option 'regions' is given.");
    return this.#handle;
  }

  /** The host whose root it is. */
  get host(): StorageHost {
    return this.#host;
  }

  /** Alarms of coordinators that run here and that have failed six times or more in a row; they are tried hourly. */
  problems(): CoordinatorProblem[] {
    return Array.from(this.#coordination.instances()).flatMap(({ key, problem }) => (problem !== null && problem.attempt >= MANY_FAILURES ? [{ ...key, ...problem }] : []));
  }

  /**
   * All coordinators of the root, or of an origin, in no order, whoever runs them: who has each, its alarm, what it has
   * stored, and what it is doing. Reads their journals one by one, which takes a tenth of a millisecond each, and changes
   * nothing; those that come or go meanwhile may be there or not. Where a hub keeps them it is asked for those of an
   * origin, which has to be given: some requests for each, sixteen at once.
   *
   * @throws (rejects) HoldfastError journal-damaged, unknown-record, disk-failed; bad-option; as the hub
   */
  async *list(options: { readonly origin?: OriginLike } = {}): AsyncGenerator<CoordinatorListing, void> {
    const { origin } = givenOptions(options, ['origin'], 'list()');
    const only = origin === undefined ? undefined : parseOrigin(origin);
    const { listCoordinators, listKept } = await listing.load();
    const { root } = this.#owner;
    if (this.#regions === null) yield* listCoordinators(root, only);
    else yield* listKept(this.#regions, originKept(this.#regions, only), root);
  }

  /**
   * Begins nothing new here: calls find another process. Resolves when what runs has ended, and the calls that were made
   * here, or after 30 seconds; what is called afterwards is HoldfastError `closed`. The host's `close()` does it first.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#regions?.alarms.close();
    // An alarm that runs is given its time like any call, and no more.
    await Promise.all([this.#keeper.close(), this.#coordination.close()]);
    this.#alarms.close();
    this.#owner.users.delete(this);
  }
}

function originKept(regions: Regions, given: string | undefined): string {
  const origin = regions.originOf(given);
  if (origin === undefined) throw bad('A hub is asked for the coordinators of one origin: list({ origin }).');
  return origin;
}

function currentOrigin(): string {
  const client = currentClient();
  if (client === undefined) throw new HoldfastError('no-context', 'get() needs an origin outside run(): whose coordinator is it?');
  return client.origin;
}
