import type { Serving, Transport } from '../../coordinator/coordination.ts';
import { SocketTransport } from '../../coordinator/sockets/socket-transport.ts';
import { sharedPlace, socketsOf } from '../../disk/coordinator/alarm-index.ts';
import type { Root } from '../../disk/root/root.ts';

/** How the processes and threads of a root call each other. */
export function openTransport(root: Root, classes: readonly string[], serve: Serving, suspectAfter?: number): Transport {
  const place = sharedPlace(root);
  return new SocketTransport({
    directory: socketsOf(root),
    prepare: () => place.ensure(),
    classes,
    // Names of classes stay in memory where names are secret.
    namesClasses: root.vaults === undefined,
    serve,
    ...(suspectAfter !== undefined && { suspectAfter }),
  });
}
