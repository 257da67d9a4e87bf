import { peer } from '../peers.mjs';

export async function open() {
  const { indexedDB } = await peer('fake-indexeddb');
  return { indexedDB };
}
