// The door 'holdfast/caches'. Nobody needs to import it but programs that are bundled.
import * as code from './code.ts';
import { cachesPart } from './provide.ts';

cachesPart.provide(code);
