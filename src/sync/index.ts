export type { Hub, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from './hub.ts';
export { embeddedHub } from './hubs/embedded/embedded-hub.ts';
export type { EmbeddedHubOptions, EmbeddedHubTls } from './hubs/embedded/client-options.ts';
export { startHub } from './hubs/embedded/start-hub.ts';
export type { HubServerOptions, RunningHub } from './hubs/embedded/server-options.ts';
