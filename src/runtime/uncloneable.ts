type MarkAsUncloneable = (object: object) => void;

let mark: MarkAsUncloneable | undefined;

/** Looked up at the first handle: loading `node:worker_threads` costs a program's start a millisecond. */
function findMark(): MarkAsUncloneable {
  const threads = process.getBuiltinModule('node:worker_threads') as { markAsUncloneable?: MarkAsUncloneable };
  return threads.markAsUncloneable ?? (() => {});
}

/**
 * Makes the runtime's own `structuredClone` and `postMessage` throw a DataCloneError for `object`, where they would
 * silently make `{}` of it. Node 20 has no way to do that.
 */
export function markAsUncloneable(object: object): void {
  mark ??= findMark();
  mark(object);
}
