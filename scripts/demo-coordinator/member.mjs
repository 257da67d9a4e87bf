// One of the processes that run shows and rooms, until it is killed.
import { StorageHost } from 'holdfast';
import { Coordinators } from 'holdfast/coordinator';
import { Room, Show } from './classes.mjs';

const coordinators = new Coordinators(new StorageHost({ root: process.env.ROOT }), { Show, Room });
process.on('disconnect', () => process.exit());
export { coordinators };
process.send('ready');
