// A process with channels of its own: `post <name> <count> <who>`, `listen <name> <count>`, or what keeps no process alive:
// `silent <name>`, which has no listener, and `unref <name>`.
import { encrypted } from '../support/sealed.ts';
import '../../src/host/broadcast-channel/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';

const [root = '', work = '', name = '', count = '0', who = ''] = process.argv.slice(2);
const { BroadcastChannel } = new StorageHost({ root, ...encrypted }).origin('https://app.example');
const channel = new BroadcastChannel(name);

if (work === 'post') {
  for (let n = 0; n < Number(count); n += 1) channel.postMessage([who, n]);
  channel.close();
} else if (work === 'silent') {
  channel.postMessage('silent');
} else if (work === 'unref') {
  channel.onmessage = () => undefined;
  channel.unref().ref().unref();
} else {
  const heard: unknown[] = [];
  channel.onmessage = ({ data }) => {
    heard.push(data);
    if (heard.length < Number(count)) return;
    console.log(JSON.stringify(heard));
    channel.close();
  };
  console.log('listening');
}
