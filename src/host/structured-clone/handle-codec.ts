// A handle that arrives is made in the turn of whoever reads the message.
import '../../file-system/loaded.ts';
import { anyHandles } from '../../file-system/handle.ts';
import { deserializeHandle, isHandle, serializeHandle } from '../../file-system/handles.ts';
import type { HandleData } from '../../file-system/handles.ts';
import type { StorageClient } from '../storage-client.ts';
import type { HandleCodec } from './codec.ts';

/** How handles are cloned in a realm: one that arrives becomes the current client's. */
export function handleCodec(current: () => StorageClient): HandleCodec {
  return {
    isHandle,
    anyHandles,
    serialize: serializeHandle,
    deserialize: (data) => deserializeHandle(current().fileSystemOf((data as HandleData).bucket), data as HandleData),
  };
}
