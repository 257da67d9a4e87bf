// For the doors that have the option `sync`.
import * as code from './sync-code.ts';
import { provideSync } from './sync.ts';

provideSync(code);
