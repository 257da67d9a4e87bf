/** Subscribes to a map, hears of a change if one is made, and has nothing else to do. */
import { setTimeout as delay } from 'node:timers/promises';
import { MapJournal } from '../../src/disk/map/map-journal.ts';
import { bucketAt, ownUrl } from './temporary-bucket.ts';

const [, , directory = '', others] = process.argv;
const realm = (session: number) => new MapJournal(bucketAt(directory), { url: ownUrl }).client(session, ownUrl);
let heard = false;
realm(1).subscribe(() => {
  heard = true;
});
if (others === 'busy') {
  realm(2).set('k', `${Date.now()}`);
  while (!heard) await delay(5);
  console.log('heard');
}
