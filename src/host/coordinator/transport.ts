import path from 'node:path';
import type { Transport } from '../../coordinator/coordination.ts';
import type { Route } from '../../coordinator/line.ts';
import { SocketTransport } from '../../coordinator/sockets/socket-transport.ts';
import { sharedPlace } from '../../disk/coordinator/alarm-index.ts';
import type { Root } from '../../disk/root/root.ts';

/** How the processes and threads of a root call each other. */
export function openTransport(root: Root, classes: readonly string[], serve: Route, suspectAfter?: number): Transport {
  const place = sharedPlace(root);
  return new SocketTransport({
    directory: path.join(place.path, 's'),
    prepare: () => place.ensure(),
    classes,
    serve,
    ...(suspectAfter !== undefined && { suspectAfter }),
  });
}
