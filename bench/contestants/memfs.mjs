// In memory: nothing of it survives the process.
import { peer } from '../peers.mjs';

export async function open() {
  const { memfs } = (await peer('memfs')).default;
  const { nodeToFsa } = (await peer('memfs/lib/node-to-fsa')).default;
  const directory = nodeToFsa(memfs({ '/opfs': null }).fs, '/opfs', { mode: 'readwrite', syncHandleAllowed: true });
  return { getDirectory: async () => directory };
}
