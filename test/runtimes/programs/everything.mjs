// Uses everything once, in a realm in which something was done before: the module that the first argument names. With
// the third argument `other-realm`, whatever it passes to Holdfast is made in another realm.
import vm from 'node:vm';
import process from 'node:process';

const [, , preparation, root, realm] = process.argv;
if (preparation !== 'nothing') await import(`./${preparation}.mjs`);
const holdfast = await import('holdfast');
const { useEverything } = await import('./surface.mjs');
const other = realm === 'other-realm' ? vm.createContext({}) : undefined;
await useEverything(holdfast, root, (source) => (other === undefined ? (0, eval)(source) : vm.runInContext(source, other)));
process.stdout.write('everything was used\n');
process.exit();
