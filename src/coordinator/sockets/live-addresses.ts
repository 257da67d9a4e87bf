import net from 'node:net';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { errorCode } from '../../runtime/errors.ts';
import { clearTimeout, setTimeout } from '../../runtime/timers.ts';
import { SocketFolder } from './socket-folder.ts';

/**
 * Where somebody listens in a folder, as far as is known: whoever hangs is not gone. What those have left who are gone is
 * removed, for it says which classes they served. Each has so many milliseconds to take a connection. Never rejects.
 */
export async function liveAddresses(directory: string, milliseconds: number): Promise<Set<string>> {
  const folder = new SocketFolder(directory);
  try {
    const found = await Promise.all(folder.cards().map(async ({ address }) => ((await isLive(folder, address, milliseconds)) ? address : null)));
    return new Set(found.filter((address) => address !== null));
  } finally {
    folder.close();
  }
}

function isLive(folder: SocketFolder, address: string, milliseconds: number): Promise<boolean> {
  return outsideContexts(
    () =>
      new Promise((resolve) => {
        const socket = net.connect(folder.socketOf(address));
        const end = (isThere: boolean): void => {
          clearTimeout(timer);
          if (!isThere) folder.remove(address);
          socket.destroy();
          resolve(isThere);
        };
        const timer = setTimeout(() => end(true), milliseconds);
        socket.once('connect', () => end(true));
        socket.on('error', (error) => end(!['ECONNREFUSED', 'ENOENT'].includes(errorCode(error))));
      }),
  );
}
