import * as code from './batch-code.ts';
import { batching } from './batching.ts';

batching.provide(code);
