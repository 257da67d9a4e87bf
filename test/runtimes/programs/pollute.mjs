// What libraries, and attackers, have put on Object.prototype; some of it can be enumerated. The runtime's own modules
// break under it themselves when they are loaded only then, so those that are used are loaded before.
import 'node:async_hooks';
import 'node:crypto';
import { rename } from 'node:fs';
import 'node:fs/promises';
import 'node:module';
import 'node:os';
import 'node:stream';
import 'node:stream/web';
import 'node:url';
import { promisify } from 'node:util';
import 'node:worker_threads';

new File([new Blob(['x'])], 'x').stream();
new Response(new ReadableStream());
new WritableStream();
process.stdout.write('');
structuredClone({});

/** Deno's own fs.promises works by this. */
const isWithoutHarm = () => {
  try {
    return promisify(rename) !== undefined;
  } catch {
    return false;
  }
};

const functions = ['get', 'set'];
const values = ['value', 'VERSION', 'quota', 'durability', 'shared', 'sync', 'steal', 'mode', 'url', 'host', 'globals', 'create', 'default'];
for (const name of [...functions, ...values]) {
  Object.defineProperty(Object.prototype, name, {
    __proto__: null,
    value: functions.includes(name) ? () => 'polluted' : `polluted ${name}`,
    writable: true,
    enumerable: name === 'VERSION',
    configurable: true,
  });
  if (!isWithoutHarm()) delete Object.prototype[name];
}
