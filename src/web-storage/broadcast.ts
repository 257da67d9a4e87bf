import type { MapChange } from '../disk/map/map-area.ts';
import { setImmediate } from '../runtime/timers.ts';
import { StorageEvent } from './storage-event.ts';
import type { Storage } from './storage.ts';

/**
 * Fires `storage` at a client that did not make the change: `target` is the client and `storage` its own object of the
 * storage that changed, which becomes the event's `storageArea`.
 *
 * The event is dispatched in a task of its own; events arrive in the order of the calls. A task that is queued lets the
 * process finish it before it ends.
 *
 * https://html.spec.whatwg.org/#concept-storage-broadcast
 */
export function broadcast(change: MapChange, storage: Storage, target: EventTarget): void {
  setImmediate(() => target.dispatchEvent(storageEvent(change, storage)));
}

function storageEvent({ key, oldValue, newValue, url }: MapChange, storageArea: Storage): StorageEvent {
  return new StorageEvent('storage', { key, oldValue, newValue, url, storageArea });
}
