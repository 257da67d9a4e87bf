/** What a write came to. A rejected one changed nothing. */
export type SetOutcome =
  | { readonly accepted: true }
  | {
      readonly accepted: false;
      /** Bytes of UTF-16, keys and values together, that the map may hold. */
      readonly quota: number;
      /** Bytes that it would have held. */
      readonly requested: number;
      /** Both are bytes of writes that wait for the hub, of which there are too many (rule 13 of docs/SYNC.md). */
      readonly unsent?: true;
      /** A batch found something else than what it was made of; the numbers mean nothing. */
      readonly conflict?: true;
    };

/** An ordered map of strings: what Web Storage needs of its storage. Keys and values are exact UTF-16. */
export interface MapArea {
  /** The value of a key, or null. */
  get(key: string): string | null;
  /** Durable when it returns, as far as the area is. A key keeps its place when its value changes. */
  set(key: string, value: string): SetOutcome;
  /** Does nothing when there is no such key. Rejected only where too many writes wait for a hub. */
  remove(key: string): SetOutcome;
  /** Rejected as `remove` is. */
  clear(): SetOutcome;
  /** The key at a position in insertion order, or null. Costs no walk over the keys. */
  key(index: number): string | null;
  readonly length: number;
  /** All keys in insertion order, as they are now: what happens later does not change the list. */
  keys(): readonly string[];
}

/** One change of a map, as https://html.spec.whatwg.org/#the-storageevent-interface tells it. */
export interface MapChange {
  /** Null: the whole map was cleared. */
  readonly key: string | null;
  /** Null: there was no such key. */
  readonly oldValue: string | null;
  /** Null: the key is gone. */
  readonly newValue: string | null;
  /** URL of the client that wrote. */
  readonly url: string;
  /** The session that wrote; 0 where nobody can tell any more. */
  readonly session: number;
}

/** Receives changes synchronously, amid the work on the map: it may only queue them, and must not throw. */
export type MapListener = (change: MapChange) => void;
