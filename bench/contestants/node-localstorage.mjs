import { join } from 'node:path';
import { peer } from '../peers.mjs';

export async function open(root) {
  const { LocalStorage } = (await peer('node-localstorage')).default;
  return { localStorage: new LocalStorage(join(root, 'node-localstorage'), 64 * 2 ** 20) };
}
