// For the doors that have the option `sync`.
import '../../disk/map/following-provided.ts';
import * as code from './code.ts';
import { provideSync } from './provide.ts';

provideSync(code);
