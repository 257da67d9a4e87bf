import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { peer } from '../peers.mjs';

export async function open(root) {
  const { getOriginPrivateDirectory } = await peer('native-file-system-adapter');
  const { default: node } = await peer('native-file-system-adapter/src/adapters/node.js');
  const directory = join(root, 'adapter');
  mkdirSync(directory, { recursive: true });
  return { getDirectory: () => getOriginPrivateDirectory(node, directory) };
}
