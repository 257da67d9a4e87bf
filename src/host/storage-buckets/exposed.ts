import { define, ownProperty } from '../../runtime/define.ts';
import { StorageBucketManager } from '../../storage/storage-bucket-manager.ts';
import { StorageBucket } from '../../storage/storage-bucket.ts';

const interfaces = { StorageBucket, StorageBucketManager };
const persist = ownProperty(StorageBucket.prototype, 'persist') ?? {};

/** An interface object, as a window or a worker has it: workers cannot ask for persistence. */
export function interfaceNamed(name: keyof typeof interfaces, exposure: 'all' | 'window' | 'worker'): object {
  if (exposure === 'worker') Reflect.deleteProperty(StorageBucket.prototype, 'persist');
  else define(StorageBucket.prototype, 'persist', persist);
  return interfaces[name];
}
