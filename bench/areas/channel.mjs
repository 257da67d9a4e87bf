// Messages to one listener in another thread, and in another process. Node's own channels end at the process.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

export const contestants = ['holdfast', 'node'];
export const scope = 'worker';

const many = 1000;

export const works = [
  { id: 'pingThread', label: 'to a thread and back', chart: 'BroadcastChannel, to a thread and back', most: 2000 },
  { id: 'sendThread', label: `${many} messages to a thread, each`, per: many, most: 20 },
  { id: 'pingProcess', label: 'to a process and back', chart: 'BroadcastChannel, to a process and back', most: 2000 },
  { id: 'sendProcess', label: `${many} messages to a process, each`, per: many, most: 20 },
];

const echo = new URL('../programs/channel-echo.mjs', import.meta.url);

const startThread = (...args) => new Worker(echo, { workerData: args });
const startProcess = (...args) => spawn(process.execPath, ['--no-warnings', fileURLToPath(echo), ...args], { stdio: 'ignore' });

/** A channel whose other end has said that it is there. */
async function connected(BroadcastChannel, name, start) {
  const channel = new BroadcastChannel(name);
  let answered;
  channel.onmessage = ({ data }) => answered(data);
  const answer = () => new Promise((resolve) => (answered = resolve));
  const ready = answer();
  const other = start();
  process.once('exit', () => (other.kill ?? other.terminate).call(other));
  await ready;
  return { channel, answer };
}

function worksOf({ channel, answer }) {
  return {
    ping: async (n) => {
      for (let ping = 0; ping < n; ping += 1) {
        const answered = answer();
        channel.postMessage({ ping });
        if ((await answered).pong !== ping) throw new Error('another answer');
      }
    },
    send: async (n) => {
      for (let batch = 0; batch < n; batch += 1) {
        const had = answer();
        channel.postMessage({ announced: many });
        for (let i = 0; i < many; i += 1) channel.postMessage({ i, text: 'a message' });
        await had;
      }
    },
  };
}

export async function operations({ BroadcastChannel, root }) {
  const ends = root === undefined ? [] : [root];
  const thread = worksOf(await connected(BroadcastChannel, 'bench thread', () => startThread('bench thread', ...ends)));
  if (root === undefined) return { pingThread: thread.ping, sendThread: thread.send };
  const other = worksOf(await connected(BroadcastChannel, 'bench process', () => startProcess('bench process', root)));
  return { pingThread: thread.ping, sendThread: thread.send, pingProcess: other.ping, sendProcess: other.send };
}
