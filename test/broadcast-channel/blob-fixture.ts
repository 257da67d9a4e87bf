// A process that sends Blobs, or hears of them, until it is killed or its input ends: `send <name> <size>`, `stall <name>`
// or `hear <name>`.
import './kept-until-closed.ts';
import { encrypted } from '../support/sealed.ts';
import '../../src/host/broadcast-channel/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';

const [root = '', work = '', name = '', size = '0'] = process.argv.slice(2);
const host = new StorageHost({ root, ...encrypted });
const { BroadcastChannel } = host.origin('https://app.example');
const channel = new BroadcastChannel(name);
const say = (what: unknown): void => console.log(JSON.stringify(what));

/** One whose bytes do not end. */
function stalling(): Blob {
  const chunks = [new Uint8Array(100_000), new Uint8Array(100_000)];
  const pull = (controller: ReadableStreamDefaultController): void | Promise<void> => {
    const chunk = chunks.pop();
    if (chunk !== undefined) return controller.enqueue(chunk);
    say('stalling');
    return new Promise<void>(() => undefined);
  };
  return Object.assign(new Blob(['x']), { stream: () => new ReadableStream({ pull }, { highWaterMark: 0 }) });
}

if (work === 'send') channel.postMessage({ blob: new Blob(['x'.repeat(Number(size)), 'end']), file: new File(['file'], 'a.txt', { lastModified: 5 }) });
if (work === 'stall') channel.postMessage(stalling());
if (work === 'hear') {
  channel.onmessage = async ({ data: { blob, file } }) => say([blob.size, await blob.slice(-3).text(), file.name, file.lastModified, await file.text()]);
  channel.onmessageerror = () => say('error');
}
say(work);
process.stdin.resume().on('end', () => void host.close());
