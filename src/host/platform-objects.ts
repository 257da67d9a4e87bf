import { deserializeHandle, isHandle, serializeHandle } from '../file-system/handles.ts';
import type { HandleData } from '../file-system/handles.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import type { PlatformData, PlatformObjects } from '../disk/values/platform-objects.ts';
import { ValueDamagedError } from '../disk/values/value-error.ts';

/** The kind of handles in written values; docs/FORMAT.md, "Values". */
const HANDLE = 3;

/** File system handles in what is stored or sent; one that is read belongs to `system`. */
export function handleObjects(system: () => FileSystem): PlatformObjects {
  return {
    serialize: (value) => (isHandle(value) ? { kind: HANDLE, data: serializeHandle(value) } : null),
    deserialize: ({ kind, data }: PlatformData) => {
      if (kind !== HANDLE) throw new ValueDamagedError(`${kind} is no kind of objects that may be here`);
      return deserializeHandle(system(), data as HandleData);
    },
  };
}
