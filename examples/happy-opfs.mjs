// A file library of browsers, with paths instead of handles.
//
//   npm install happy-opfs
//   node examples/happy-opfs.mjs
import { install } from 'holdfast';
import * as opfs from 'happy-opfs';

// As a window has it: where there are sync access handles, the library takes the thread for a browser's worker, and
// copies by a FileReaderSync, which servers lack.
install({ root: process.env.HOLDFAST_ROOT ?? './.holdfast', origin: 'http://localhost', exposure: 'window' });

const visits = (await opfs.readJsonFile('/app/visits.json')).unwrapOr([]);
visits.push(new Date().toISOString());
(await opfs.writeJsonFile('/app/visits.json', visits)).unwrap();
(await opfs.appendFile('/app/log.txt', `visit ${visits.length}\n`)).unwrap();

for await (const { path, handle } of (await opfs.readDir('/', { recursive: true })).unwrap()) console.log(handle.kind, path);
console.log((await opfs.readTextFile('/app/log.txt')).unwrap());
