// What the same promises cost at least: a positioned read at the end of a file to learn that there is no news, a Map,
// and for a write one append and the read that shows at which place in the order it landed.
import fs from 'node:fs';
import { join } from 'node:path';
import { operations as ofArea } from '../areas/web-storage.mjs';

class Limit {
  #map = new Map();
  #descriptor;
  #end = 0;
  #news = Buffer.alloc(4096);
  #frame = Buffer.alloc(1024);

  constructor(path) {
    this.#descriptor = fs.openSync(path, 'a+');
  }

  #append(key, value) {
    const length = this.#frame.latin1Write(key, 0) + this.#frame.latin1Write(value, key.length);
    fs.writeSync(this.#descriptor, this.#frame, 0, length);
    this.#end += fs.readSync(this.#descriptor, this.#news, 0, 4096, this.#end);
  }

  getItem(key) {
    fs.readSync(this.#descriptor, this.#news, 0, 4096, this.#end);
    return this.#map.get(key) ?? null;
  }

  setItem(key, value) {
    this.#append(key, value);
    this.#map.set(key, value);
  }

  removeItem(key) {
    this.#append(key, '');
    this.#map.delete(key);
  }

  key(index) {
    fs.readSync(this.#descriptor, this.#news, 0, 4096, this.#end);
    return index;
  }
}

export function operations(root) {
  return ofArea({ localStorage: new Limit(join(root, 'limit')) });
}
