/** What the option `sync` needs in its caller's turn. */
export { BucketSync } from './bucket-sync.ts';
export { syncSettings } from './options.ts';
