/**
 * What structured cloning must know of platform objects that the runtime does not know: the [[Serializable]] of
 * Holdfast's file system handles. https://html.spec.whatwg.org/#serializable-objects
 */
export interface HandleCodec {
  /** Whether `value` is a handle; called for every object of a message, so cheap and without side effects. */
  isHandle(value: object): boolean;
  /** The serialization steps: plain data, a new object for each call. https://fs.spec.whatwg.org/#filesystemhandle */
  serialize(handle: object): object;
  /**
   * The deserialization steps. `data` may come from anyone who can post a message: everything in it is checked, and an
   * origin that is not the receiver's throws a DataCloneError.
   */
  deserialize(data: object): object;
  /** False as long as this realm has made no handle: then messages are not looked through at all. True if missing. */
  anyHandles?(): boolean;
}

/** All of `codecs` as one: the latest that can do something does it. */
export function oneOf(codecs: readonly HandleCodec[]): HandleCodec {
  return {
    isHandle: (value) => codecs.some((codec) => codec.isHandle(value)),
    anyHandles: () => codecs.some((codec) => codec.anyHandles?.() ?? true),
    serialize(handle) {
      const codec = codecs.findLast((candidate) => candidate.isHandle(handle));
      if (codec === undefined) throw new TypeError('This is not a handle.');
      return codec.serialize(handle);
    },
    deserialize(data) {
      let failure: unknown;
      for (const codec of codecs.toReversed()) {
        try {
          return codec.deserialize(data);
        } catch (error) {
          failure ??= error;
        }
      }
      throw failure;
    },
  };
}
