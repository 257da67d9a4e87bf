import type { Hub, HubCapabilities, HubLog } from '../../hub.ts';
import { AppendQueues } from '../append-queue.ts';
import { requireLogName } from '../log-arguments.ts';
import { logDigest, logLabel } from '../log-names.ts';
import { MAX_BLOB_BYTES } from './blobs.ts';
import { Courtesy } from './courtesy.ts';
import type { LogNames } from './epoch.ts';
import { LogMemory, NatsLog, type NatsEngine } from './nats-log.ts';
import { News } from './news.ts';
import { settingsOf, type NatsHubOptions, type NatsSettings } from './options.ts';
import { Sessions } from './sessions.ts';
import { capabilitiesOf, subjectsOf } from './stream.ts';

/** What goes into one message of those that come while the one before is under way. */
const GROUP = { entries: 1000, bytes: 512 * 1024 };

/** Logs that a hub remembers the ends of. */
const MOST_MEMORIES = 1000;

/**
 * A hub in NATS JetStream, of nats-server 2.9 or later, through the packages `@nats-io/transport-node`,
 * `@nats-io/jetstream` and `@nats-io/obj`. A batch is one message; what was appended at once by one process to one log
 * shares one. Ids of entries are known for about two minutes.
 *
 * `connect()` makes a stream and a bucket of the Object Store, when the user may; `docs/NATS.md` tells which permissions
 * a user needs, what the server's settings make of the promises, and how to run it.
 *
 * @throws HoldfastError `bad-option`
 */
export function natsHub(options: NatsHubOptions = {}): Hub {
  return new NatsHub(settingsOf(options));
}

class NatsHub implements Hub {
  readonly name: string;
  readonly #settings: NatsSettings;
  readonly #engine: NatsEngine;
  /** By key, the least recently used first. */
  readonly #memories = new Map<string, LogMemory>();

  constructor(settings: NatsSettings) {
    this.name = `nats at ${settings.place}`;
    this.#settings = settings;
    const news: News = new News(settings.prefix, () => sessions);
    const courtesy = new Courtesy(settings.prefix);
    const sessions = new Sessions(settings, this.name, (session) => {
      news.attach(session);
      courtesy.attach(session);
    });
    const memory = (key: string, names: LogNames) => this.#remember(key, names);
    this.#engine = { name: this.name, sessions, news, queues: new AppendQueues(GROUP), courtesy, memory };
  }

  connect(): Promise<HubCapabilities> {
    return this.#engine.sessions.perform('connect', ({ prepared, maxPayload }) =>
      Promise.resolve(capabilitiesOf(prepared, maxPayload, MAX_BLOB_BYTES, this.#settings, this.name)),
    );
  }

  log(name: string): HubLog {
    requireLogName(name);
    // 43 characters that differ in case too, all of them legal in subjects.
    const key = logDigest(name).toString('base64url');
    return new NatsLog(this.#engine, key, { label: logLabel(name), subjects: subjectsOf(this.#settings.prefix, key) });
  }

  async close(): Promise<void> {
    this.#engine.news.close();
    await this.#engine.sessions.close();
  }

  #remember(key: string, names: LogNames): LogMemory {
    const memory = this.#memories.get(key) ?? new LogMemory(names);
    this.#memories.delete(key);
    this.#memories.set(key, memory);
    for (const oldest of this.#memories.keys()) {
      if (this.#memories.size <= MOST_MEMORIES) break;
      this.#memories.delete(oldest);
    }
    return memory;
  }
}
