// Uses everything once, in a realm in which something was done: what the module does that the first argument names. The
// third says `late` when that is done after Holdfast was loaded, and `other-realm` when whatever is passed to Holdfast is
// made in another realm.
import vm from 'node:vm';
import process from 'node:process';

const [, , preparation, root, realm] = process.argv;
const prepare = () => (preparation === 'nothing' ? undefined : import(`./${preparation}.mjs`));
if (realm !== 'late') await prepare();
const holdfast = await import('holdfast');
if (realm === 'late') await prepare();
const { useEverything } = await import('./surface.mjs');
const other = realm === 'other-realm' ? vm.createContext({}) : undefined;
await useEverything(holdfast, root, (source) => (other === undefined ? (0, eval)(source) : vm.runInContext(source, other)));
process.stdout.write('everything was used\n');
process.exit();
