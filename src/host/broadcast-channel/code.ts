// A handle that arrives is made in the turn of whoever reads the message.
import '../../file-system/loaded.ts';

export { channelInterface } from '../../broadcast-channel/broadcast-channel.ts';
export { ClientChannels } from './client-channels.ts';
export { journalOf } from './journal-of.ts';
