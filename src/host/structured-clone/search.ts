import { ownProperty } from '../../runtime/define.ts';
import type { HandleCodec } from './codec.ts';
import { isObject, objectsIn, shapeOf } from './shape.ts';

/**
 * Whether a handle or a getter is anywhere in what `root` leads to. Calls no getter, as the runtime will do that; what a
 * getter would return is not known here, so one counts as a find.
 *
 * Arrays are searched for their elements only, at a nanosecond each: a handle in a named property of an array is found
 * when something else in the message is.
 */
export function mayHoldHandle(root: object, codec: HandleCodec): boolean {
  const seen = new Set<object>([root]);
  const pending: object[] = [root];
  const look = (value: unknown): void => {
    if (!isObject(value) || seen.has(value)) return;
    seen.add(value);
    pending.push(value);
  };
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (codec.isHandle(value)) return true;
    if (lookInto(value, look)) return true;
  }
  return false;
}

/** Passes what `value` holds to `look`. True when it has a getter. */
function lookInto(value: object, look: (inner: unknown) => void): boolean {
  switch (shapeOf(value)) {
    case 'opaque':
      return false;
    case 'array':
      objectsIn(value as unknown[]).forEach(look);
      return false;
    case 'map':
      Map.prototype.forEach.call(value, (inner, key) => {
        look(key);
        look(inner);
      });
      return false;
    case 'set':
      Set.prototype.forEach.call(value, look);
      return false;
    case 'ordinary':
      return lookIntoProperties(value, look);
  }
}

function lookIntoProperties(value: object, look: (inner: unknown) => void): boolean {
  for (const key of Object.keys(value)) {
    const property = ownProperty(value, key);
    if (property?.get !== undefined) return true;
    look(property?.value);
  }
  return false;
}
