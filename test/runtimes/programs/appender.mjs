// Sets items of its own. argv: root, id, how many.
import process from 'node:process';
import { StorageHost } from 'holdfast';

const [root, id, count] = process.argv.slice(2);
const { localStorage } = new StorageHost({ root }).origin('https://app.example');
for (let n = 0; n < Number(count); n++) localStorage.setItem(`${id}/${n}`, 'x'.repeat(n));
