import { peer } from '../peers.mjs';

export async function open(root) {
  const { default: setGlobalVars } = await peer('indexeddbshim');
  const window = {};
  setGlobalVars(window, { checkOrigin: false, databaseBasePath: root });
  return { indexedDB: window.indexedDB };
}
