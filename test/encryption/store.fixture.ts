// A process whose keys are in a store that is a directory.
import { Buffer } from 'node:buffer';
import '../../src/host/encryption/provided.ts';
import { StorageHost } from '../../src/index.ts';
import { peerOptions, serve } from '../support/peer-service.ts';
import { DirectoryStore, type StoreCommands, type StorePeerOptions } from './directory-store.ts';

const { root, directory, key, origin } = peerOptions<StorePeerOptions>();
const host = new StorageHost({ root, encryption: { key: Uint8Array.from(Buffer.from(key, 'hex')), store: new DirectoryStore(directory) } });

serve({
  unlock: () => host.unlock(origin),
  // Whoever comes second has yet to fetch the key of the first.
  set: async (name, value) => {
    try {
      host.origin(origin).localStorage.setItem(name, value);
    } catch (error) {
      // The attribute's own error, or that of its method.
      const { code, cause } = error as { code?: unknown; cause?: { code?: string } };
      if (code !== 'key-pending' && cause?.code !== 'key-pending') throw error;
      await host.unlock(origin);
      host.origin(origin).localStorage.setItem(name, value);
    }
  },
  items: () => Object.fromEntries(Object.entries(host.origin(origin).localStorage)) as Record<string, string>,
} satisfies StoreCommands);
