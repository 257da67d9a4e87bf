// Serves a counter at a root, which a key in hexadecimal has encrypted, and calls it when it is told to: one line in, one line out.
import { createInterface } from 'node:readline';
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { Coordinator, Coordinators } from 'holdfast/coordinator';

class Counter extends Coordinator {
  increment() {
    const next = Number(this.localStorage.getItem('n') ?? 0) + 1;
    this.localStorage.setItem('n', String(next));
    return next;
  }

  pid() {
    return process.pid;
  }
}

const [root, key] = process.argv.slice(2);
const host = new StorageHost({ root, ...(key && { encryption: { key: Uint8Array.from(key.match(/../g), (each) => Number.parseInt(each, 16)) } }) });
const coordinators = new Coordinators(host, { Counter });
const counter = coordinators.get('https://app.example', Counter, 'shared');

console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const results = await Promise.all(Array.from({ length: Number(line) }, () => counter.increment()));
  console.log(JSON.stringify([results, await counter.pid()]));
}
await coordinators.close();
await host.close();
