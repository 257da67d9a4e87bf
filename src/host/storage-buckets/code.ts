// What the door 'holdfast/storage-buckets' provides. Few programs need it, so it is loaded when it is first touched.
// A handle that arrives is made in the turn of whoever reads it.
import '../../file-system/loaded.ts';

export { ClientBuckets } from './client-buckets.ts';
export { interfaceNamed } from './exposed.ts';
export { NamedBuckets } from './named-buckets.ts';
