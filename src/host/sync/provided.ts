// For the doors that have the option `sync`.
import * as code from './code.ts';
import { provideSync } from './provide.ts';

provideSync(code);
