// For the doors that have the option `shared`.
import * as code from './lockfile-section.ts';
import { provideLockfile } from './lockfile.ts';

provideLockfile(code);
