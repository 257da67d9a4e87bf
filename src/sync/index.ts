export type { Hub, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from './hub.ts';
