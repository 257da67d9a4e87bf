// The other end of a channel, as a thread or a process: `channel-echo.mjs <name> [root]`. Answers each ping, and tells
// once it has had as many messages as were announced. Without a root: on the runtime's own channels.
import { isMainThread, workerData } from 'node:worker_threads';

const [name, root] = isMainThread ? process.argv.slice(2) : workerData;

async function channelClass() {
  if (root === undefined) return globalThis.BroadcastChannel;
  const { StorageHost } = await import('holdfast');
  return new StorageHost({ root }).origin('https://bench.example').BroadcastChannel;
}

const channel = new (await channelClass())(name);
let left = 0;
channel.onmessage = ({ data: { ping, announced } }) => {
  if (ping !== undefined) channel.postMessage({ pong: ping });
  else if (announced !== undefined) left = announced;
  else if ((left -= 1) === 0) channel.postMessage({ had: true });
};
channel.postMessage({ ready: true });
