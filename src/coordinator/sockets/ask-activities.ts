import net from 'node:net';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { clearTimeout, setTimeout } from '../../runtime/timers.ts';
import type { Activity } from '../activity.ts';
import { Connection } from './connection.ts';
import { decodeFrame } from './frames.ts';
import { LIST, LISTED, readListed } from './messages.ts';
import { SocketFolder } from './socket-folder.ts';

/** A process or thread that listens, or has said so. */
export interface Listener {
  readonly address: string;
  /** Null: it has not said. */
  readonly process: number | null;
  /** Null: it is gone, or did not answer in time. */
  readonly activities: readonly Activity[] | null;
}

/** Asks all who listen in a folder what they run; each has so many milliseconds to answer. Never rejects. */
export async function askActivities(directory: string, milliseconds: number): Promise<Listener[]> {
  const folder = new SocketFolder(directory);
  try {
    return await Promise.all(folder.cards().map(async ({ address, process }) => ({ address, process, activities: await ask(folder, address, milliseconds) })));
  } finally {
    folder.close();
  }
}

function ask(folder: SocketFolder, address: string, milliseconds: number): Promise<Activity[] | null> {
  return outsideContexts(
    () =>
      new Promise((resolve) => {
        const socket = net.connect(folder.socketOf(address));
        const timer = setTimeout(() => socket.destroy(), milliseconds);
        const connection = new Connection(
          socket,
          (frame) => {
            const message = decodeFrame(frame);
            if (message[0] !== LISTED) return;
            resolve(readListed(message));
            connection.end();
          },
          () => {
            clearTimeout(timer);
            resolve(null);
          },
        );
        connection.send([LIST, 1]);
      }),
  );
}
