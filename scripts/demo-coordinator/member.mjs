// One of the processes that run shows and rooms, until it is killed.
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { StorageHost } from 'holdfast';
import { Coordinators } from 'holdfast/coordinator';
import { openHub } from '../hubs.mjs';
import { Room, Show } from './classes.mjs';

const { ROOT, HUB, REGION, PORT } = process.env;
const options = REGION === undefined ? {} : { regions: { hub: openHub(JSON.parse(HUB)), ...JSON.parse(REGION) } };
const coordinators = new Coordinators(new StorageHost({ root: ROOT }), { Show, Room }, options);
process.on('disconnect', () => process.exit());
if (PORT === undefined) process.send('ready');
else createServer(answer).listen(Number(PORT), '127.0.0.1', () => process.send('ready'));

/** What other regions call. */
async function answer(incoming, outgoing) {
  const request = new Request('http://127.0.0.1/', { method: incoming.method, headers: incoming.headers, body: Readable.toWeb(incoming), duplex: 'half' });
  const response = await coordinators.handler(request);
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.end(Buffer.from(await response.arrayBuffer()));
}
