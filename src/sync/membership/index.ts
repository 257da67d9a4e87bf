/** What a host loads when the first of its origins follows a hub. */
export { ChannelRelay } from '../channels/channel-relay.ts';
export { createFilesSync, FilesModel } from '../files/files-sync.ts';
export type { FileConflict, FilesSync } from '../files/files-sync.ts';
export { HubConnection } from './hub-connection.ts';
export { Membership } from './membership.ts';
export type { Companion, Followed } from './membership.ts';
export { Rounds } from './rounds.ts';
export { Waiting } from './waiting.ts';
