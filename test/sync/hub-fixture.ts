import { natsHub, postgresHub, type Hub } from '../../src/sync/index.ts';

/*
 * Uses a hub in a process of its own: `postgres|nats`, its options as JSON, and what to do.
 *
 * - `idle`: appends and subscribes, says so, and leaves the hub open with nothing to do.
 * - `wait`: the same, and waits for a word in between.
 * - `connect`: says the code and the message of the error.
 */

const [engine, options = '{}', what] = process.argv.slice(2);
const make: (options: object) => Hub = engine === 'postgres' ? postgresHub : natsHub;
const hub = make(JSON.parse(options) as object);

if (what === 'connect') {
  await hub.connect().catch((error: { code: string; message: string }) => console.log(`${error.code}: ${error.message}`));
} else {
  await hub.connect();
  const log = hub.log('idle');
  log.subscribe(() => undefined);
  await log.append([{ id: `${crypto.randomUUID()}.1`, bytes: new Uint8Array(1) }]);
  console.log('idle');
  if (what === 'wait') await new Promise((resolve) => process.stdin.once('data', resolve));
  process.stdin.destroy();
}
