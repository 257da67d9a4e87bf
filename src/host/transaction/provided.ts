// Beside the doors, for `client.transaction()` and for maps that hold what it has written.
import '../../disk/map/batching-provided.ts';
import * as code from './transact.ts';
import { transaction } from './part.ts';

transaction.provide(code);
