import { compareKeys } from '../disk/records/key.ts';
import { DOMString } from '../webidl/conversions.ts';
import { domException } from '../webidl/dom-exception.ts';
import { enforcedUnsignedLongLong } from '../webidl/integers.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { toKey } from './algorithms/keys.ts';
import { deleteDatabase, fireVersionChange, openConnection, type Opener } from './algorithms/open.ts';
import { asWebError } from './errors.ts';
import { Bucket } from './model/bucket.ts';
import type { Connection } from './model/connection.ts';
import { OpenRequest } from './model/open-request.ts';
import { IDBOpenDBRequest } from './open-request.ts';
import type { IndexedDBPlace } from './place.ts';

const interfaceName = 'IDBFactory';

/** https://w3c.github.io/IndexedDB/#dictdef-idbdatabaseinfo */
export interface IDBDatabaseInfo {
  name: string;
  version: number;
}

/** The connections of one client. */
class ClientConnections implements Opener {
  readonly bucket: Bucket;
  readonly #connections = new Set<Connection>();
  isActive = true;

  constructor(place: IndexedDBPlace) {
    this.bucket = Bucket.of(place);
  }

  opened(connection: Connection): void {
    this.#connections.add(connection);
    void connection.whenClosed().then(() => this.#connections.delete(connection));
  }

  /** Closes all of them, with what runs in them. */
  async end(): Promise<void> {
    this.isActive = false;
    const connections = [...this.#connections];
    for (const connection of connections) connection.closeByForce(domException('AbortError', 'The client was closed.'));
    await Promise.all(connections.map((connection) => connection.whenClosed()));
  }
}

let endOf: (factory: IDBFactory) => Promise<void>;

/** What is behind a factory, for who does something to all databases. */
export let placeOf: (factory: IDBFactory) => IndexedDBPlace;

/** The databases of a bucket, as one client sees them. https://w3c.github.io/IndexedDB/#factory-interface */
export class IDBFactory {
  readonly #client: ClientConnections;

  static {
    endOf = (factory) => factory.#client.end();
    placeOf = (factory) => factory.#client.bucket.place;
  }

  /** @internal */
  constructor(token: typeof internal, place: IndexedDBPlace) {
    if (token !== internal) illegalConstructor();
    this.#client = new ClientConnections(place);
  }

  static #of(factory: IDBFactory): ClientConnections {
    if (!(#client in factory)) throw illegalInvocation(interfaceName);
    return factory.#client;
  }

  /**
   * Opens a database; one that is not there is made. The request's result is an IDBDatabase. It fails with VersionError for
   * a version that is less than the database's, AbortError for an upgrade that was aborted.
   *
   * @throws TypeError for a version of 0, InvalidStateError when the client is closed
   */
  open(name: string, version?: number): IDBOpenDBRequest {
    const client = IDBFactory.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'open');
    const wantedName = DOMString(name, `${failing('open')}: parameter 1`);
    const wanted = version === undefined ? undefined : enforcedUnsignedLongLong(version, `${failing('open')}: parameter 2`);
    if (wanted === 0) throw new TypeError(`${failing('open')}: the version is 0.`);
    requireActive(client, 'open');
    const request = new OpenRequest();
    const object = new IDBOpenDBRequest(internal, request);
    openConnection(client, wantedName, wanted, request).then(
      (connection) => request.queueTask(() => succeeded(request, connection)),
      (error: unknown) => request.queueTask(() => failed(request, asWebError(error, 'open the database'))),
    );
    return object;
  }

  /**
   * Deletes a database when all its connections are closed. The request's result is undefined, also where there was none.
   *
   * @throws InvalidStateError when the client is closed
   */
  deleteDatabase(name: string): IDBOpenDBRequest {
    const client = IDBFactory.#of(this);
    requireArguments(arguments.length, 1, interfaceName, 'deleteDatabase');
    const wantedName = DOMString(name, `${failing('deleteDatabase')}: parameter 1`);
    requireActive(client, 'deleteDatabase');
    const request = new OpenRequest();
    const object = new IDBOpenDBRequest(internal, request);
    deleteDatabase(client, wantedName, request).then(
      (version) => request.queueTask(() => deleted(request, version)),
      (error: unknown) => request.queueTask(() => failed(request, asWebError(error, 'delete the database'))),
    );
    return object;
  }

  /** Names and versions of all databases, as they are now. Rejects with UnknownError when the disk fails. */
  async databases(): Promise<IDBDatabaseInfo[]> {
    const client = IDBFactory.#of(this);
    requireActive(client, 'databases');
    const { place } = client.bucket;
    try {
      await place.ready();
      const all = await place.databases.list((name) => client.bucket.versionOf(name));
      return all.filter(({ version }) => version > 0).map(({ name, version }) => ({ name, version }));
    } catch (error) {
      throw asWebError(error, 'list the databases');
    }
  }

  /** Compares two keys: -1, 0 or 1. @throws DataError */
  cmp(first: unknown, second: unknown): number {
    IDBFactory.#of(this);
    requireArguments(arguments.length, 2, interfaceName, 'cmp');
    const a = toKey(first, failing('cmp'));
    return Math.sign(compareKeys(a, toKey(second, failing('cmp'))));
  }
}

defineInterface(IDBFactory, { name: interfaceName, operations: { open: 1, deleteDatabase: 1, databases: 0, cmp: 2 } });

/** The factory of one client. Nothing is loaded or opened before it is asked for something. */
export function createFactory(place: IndexedDBPlace): IDBFactory {
  return new IDBFactory(internal, place);
}

/** Ends the client: its transactions are aborted and its connections closed. Resolves when they are. */
export function endFactory(factory: IDBFactory): Promise<void> {
  return endOf(factory);
}

function failing(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

function requireActive(client: ClientConnections, operation: string): void {
  if (!client.isActive) throw domException('InvalidStateError', `${failing(operation)}: the client is closed.`);
}

function succeeded(request: OpenRequest, connection: Connection): void {
  request.settle(connection.object, null);
  request.fireSuccess();
}

function failed(request: OpenRequest, error: DOMException): void {
  request.settle(undefined, error);
  request.fireError();
}

/** https://w3c.github.io/IndexedDB/#dom-idbfactory-deletedatabase */
function deleted(request: OpenRequest, version: number): void {
  request.settle(undefined, null);
  fireVersionChange(request, 'success', version, null);
}
