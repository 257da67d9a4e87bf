// For doors and tests through which a handle can be made without waiting.
import * as code from './behaviour.ts';
import { provideBehaviour } from './loading.ts';

provideBehaviour(code);
