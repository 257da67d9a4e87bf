// The door 'holdfast/storage-buckets'. Nobody needs to import it but programs that are bundled.
import * as code from './code.ts';
import { bucketsPart } from './provide.ts';

bucketsPart.provide(code);
