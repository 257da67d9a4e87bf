// Counts in a database that other processes count in too. argv: root, how often.
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { count, open } from '../kit/indexed-db.mjs';

const [root, times] = process.argv.slice(2);
const host = new StorageHost({ root });
const db = await open(host.origin('https://app.example').indexedDB, 'shared', 1, (made) => made.createObjectStore('counters'));
await count(db, Number(times));
await host.close();
console.log('counted');
