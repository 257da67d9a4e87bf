// A process of a region that uses channels, and says when it speaks with the hub: `root`, `url` and `token` of the hub.
import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/sync/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { embeddedHub } from '../../src/sync/hubs/embedded/embedded-hub.ts';

const [root = '', url = '', token = ''] = process.argv.slice(2);
const host = new StorageHost({ root, sync: { hub: embeddedHub({ url, token }), region: 'eu', broadcast: true } });
const client = host.origin('https://app.example');
const channel = new client.BroadcastChannel('a');
channel.onmessage = () => undefined;
// Whoever asks is alone in the region, and is answered by whoever speaks.
await client.sync?.caughtUp();
console.log('speaks');
