import { installStructuredClone } from '../structured-clone/install.ts';
import { handleCodec } from '../structured-clone/handle-codec.ts';
import { eventDefinitions } from './event-definitions.ts';
import { clientSource } from './global-definitions.ts';
import { defineAll, installGlobals } from './install-globals.ts';
import type { Undo } from './install-globals.ts';
import { checkInstallOptions } from './options.ts';
import type { InstallOptions } from './options.ts';

/**
 * Makes the web's storage global: `localStorage`, `sessionStorage`, `navigator.storage`, `navigator.locks` and the
 * interface objects. Inside `host.run()` they are that client's; outside, what the option `outside` says. Nothing is
 * read from or written to the disk before they are used. `window`, `self` and `document` are never defined.
 *
 * @returns what undoes it: puts back what was there, except where others have put something since; several installs
 * may be undone in any order. A host that was made for the install is closed.
 * @throws HoldfastError bad-option
 * @throws DOMException SecurityError for an opaque origin
 */
export function install(options: InstallOptions = {}): () => void {
  const settings = checkInstallOptions(options);
  const { target, host, ownsHost } = settings;
  const current = clientSource(settings);
  const undoing: Undo[] = [];
  const undo = (): void => {
    for (const step of undoing.splice(0).reverse()) step();
    if (ownsHost) void host.close();
  };
  try {
    undoing.push(installGlobals(settings, current));
    // Workers have no storage events. https://html.spec.whatwg.org/#the-storage-event
    if (settings.events && settings.exposure !== 'worker') undoing.push(defineAll(eventDefinitions(target, current)));
    if (settings.structuredClone) undoing.push(installStructuredClone(target, handleCodec(current)));
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}
