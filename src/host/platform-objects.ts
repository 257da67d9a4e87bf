import { deserializeHandle, isHandle, serializeHandle } from '../file-system/handles.ts';
import type { HandleData } from '../file-system/handles.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { platformKinds } from '../disk/values/platform-kinds.ts';
import type { PlatformData, PlatformObjects } from '../disk/values/platform-objects.ts';
import { ValueDamagedError } from '../disk/values/value-error.ts';

/** File system handles in what is stored or sent; one that is read belongs to what `system` gives for its bucket. */
export function handleObjects(system: (bucket: string) => FileSystem): PlatformObjects {
  return {
    serialize: (value) => (isHandle(value) ? { kind: platformKinds.handle, data: serializeHandle(value) } : null),
    deserialize: ({ kind, data }: PlatformData) => {
      if (kind !== platformKinds.handle) throw new ValueDamagedError(`${kind} is no kind of objects that may be here`);
      const handle = data as HandleData;
      return deserializeHandle(system(handle.bucket), handle);
    },
  };
}
