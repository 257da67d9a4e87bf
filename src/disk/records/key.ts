/** A key, written so that comparing bytes compares keys; docs/FORMAT.md, "Keys". */
export type EncodedKey = Uint8Array;
