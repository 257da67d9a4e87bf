// The door 'holdfast/broadcast-channel'. Nobody needs to import it but programs that are bundled.
import * as code from './code.ts';
import { broadcastChannel } from './provide.ts';

broadcastChannel.provide(code);
