import type { Connection } from '../connection.ts';
import type { Hub, HubCapabilities, HubLog } from '../hub.ts';

const connections = new WeakMap<Hub, HubConnection>();

/** One connection for all origins, and all hosts, that use a hub in this realm. */
export class HubConnection implements Connection {
  readonly #hub: Hub;
  #connecting: Promise<HubCapabilities> | null = null;

  private constructor(hub: Hub) {
    this.#hub = hub;
  }

  static to(hub: Hub): HubConnection {
    const known = connections.get(hub);
    if (known !== undefined) return known;
    const connection = new HubConnection(hub);
    connections.set(hub, connection);
    return connection;
  }

  get name(): string {
    return this.#hub.name;
  }

  /** Connects once for all; after a failure the next call tries again. @throws HoldfastError as `Hub.connect` */
  connect(): Promise<HubCapabilities> {
    this.#connecting ??= this.#hub.connect().catch((error: unknown) => {
      this.#connecting = null;
      throw error;
    });
    return this.#connecting;
  }

  log(name: string): HubLog {
    return this.#hub.log(name);
  }
}
