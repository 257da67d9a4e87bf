export type { BlobCollection, Hub, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from './hub.ts';
export { embeddedHub } from './hubs/embedded/embedded-hub.ts';
export type { EmbeddedHubOptions, EmbeddedHubTls } from './hubs/embedded/client-options.ts';
export { startHub } from './hubs/embedded/start-hub.ts';
export type { HubServerOptions, RunningHub } from './hubs/embedded/server-options.ts';
export { natsHub } from './hubs/nats/nats-hub.ts';
export type { NatsHubOptions, NatsTls } from './hubs/nats/options.ts';
export { postgresHub } from './hubs/postgres/postgres-hub.ts';
export type { PostgresConnection, PostgresHubOptions } from './hubs/postgres/options.ts';
