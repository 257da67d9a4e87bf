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
