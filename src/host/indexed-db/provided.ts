// The door 'holdfast/indexed-db'. Nobody needs to import it but programs that are bundled.
import * as code from './code.ts';
import { indexedDb } from './provide.ts';

indexedDb.provide(code);
