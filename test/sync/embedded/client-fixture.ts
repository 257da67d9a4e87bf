import { embeddedHub } from '../../../src/sync/hubs/embedded/embedded-hub.ts';

/*
 * A client in a process of its own: [url, log, number, batches]. Appends batches of two entries and tells each
 * acknowledgement; with 0 batches it only subscribes, tells the first news, and must then end by itself.
 */
const [url = '', name = '', number = '', batches = '0'] = process.argv.slice(2);
const hub = embeddedHub({ url });
const log = hub.log(name);
await hub.connect();
if (batches === '0') {
  await new Promise<void>((resolve) => {
    // Nothing else keeps this process alive until there is news.
    const alive = setInterval(() => undefined, 1000);
    log.subscribe(() => {
      clearInterval(alive);
      resolve();
    });
  });
  process.stdout.write('news\n');
}
for (let count = 0; count < Number(batches); count++) {
  const entries = ['a', 'b'].map((part) => ({ id: `${number}.${count}${part}`, bytes: Buffer.from(`${number} ${count} ${part}`) }));
  await log.append(entries);
  process.stdout.write(`${count}\n`);
}
