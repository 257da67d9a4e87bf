import { types } from 'node:util';
import { define, ownProperty } from '../../runtime/define.ts';
import { isDOMException } from '../../runtime/errors.ts';
import { domException } from '../../webidl/dom-exception.ts';
import type { HandleCodec } from './codec.ts';
import { isObject } from './shape.ts';

/** Where a handle's data lies in the message: a property of a container; no key for the members of a Map or Set. */
export type Place = readonly [container: object, key?: string];

/** What travels in an envelope. Structured cloning keeps identity, so data and containers point into the message. */
export interface Contents {
  message: unknown;
  readonly handles: readonly object[];
  readonly places: readonly Place[];
}

/**
 * The form of a message with handles on its way: a Map with this one key. No JSON becomes a Map, so text from a network
 * that is parsed and posted can never become a handle. Code that can post any object could make an envelope itself, and
 * so name any entry, but only of the receiver's own origin: the codec checks that.
 *
 * A receiver where the option is off gets the Map: not the message, and no handle.
 */
const marker = 'holdfast:structured-clone';

export function envelope(contents: Contents): ReadonlyMap<string, Contents> {
  return new Map([[marker, contents]]);
}

export function isEnvelope(data: unknown): data is ReadonlyMap<string, unknown> {
  return types.isMap(data) && data.size === 1 && data.has(marker);
}

/**
 * The message in an envelope, with its handles.
 * https://html.spec.whatwg.org/#structureddeserialize
 *
 * @throws DataCloneError when a handle is not this origin's, or the envelope is not one that Holdfast made
 */
export function unpack(data: ReadonlyMap<string, unknown>, codec: HandleCodec): unknown {
  try {
    const contents = requireContents(data.get(marker));
    const handles = new Map(contents.handles.map((handle) => [handle, codec.deserialize(handle)]));
    for (const [container, key] of contents.places) putHandles(container, key, handles);
    return contents.message;
  } catch (cause) {
    if (isDOMException(cause) && cause.name === 'DataCloneError') throw cause;
    throw domException('DataCloneError', 'The message holds file system handles that cannot be made in this realm.', cause);
  }
}

function requireContents(value: unknown): Contents {
  if (isObject(value) && 'handles' in value && 'places' in value && 'message' in value) {
    const { handles, places } = value;
    if (Array.isArray(handles) && handles.every(isObject) && Array.isArray(places) && places.every(isPlace)) {
      return value as Contents;
    }
  }
  throw new TypeError('This is not an envelope that Holdfast made.');
}

function isPlace(value: unknown): value is Place {
  return Array.isArray(value) && isObject(value[0]) && (value[1] === undefined || typeof value[1] === 'string');
}

function putHandles(container: object, key: string | undefined, handles: ReadonlyMap<unknown, object>): void {
  const replaced = (value: unknown): unknown => handles.get(value) ?? value;
  if (key !== undefined) {
    const property = ownProperty(container, key);
    define(container, key, { ...property, value: replaced(property?.value) });
  } else if (types.isMap(container)) {
    const entries = [...container];
    container.clear();
    for (const [entryKey, value] of entries) container.set(replaced(entryKey), replaced(value));
  } else if (types.isSet(container)) {
    const members = [...container];
    container.clear();
    for (const member of members) container.add(replaced(member));
  }
}
