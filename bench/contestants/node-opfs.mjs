import { join } from 'node:path';
import { peer } from '../peers.mjs';

export async function open(root) {
  const { StorageManager } = await peer('node-opfs');
  const storage = new StorageManager(join(root, 'node-opfs'));
  return { getDirectory: () => storage.getDirectory() };
}
