import { driverForNew, driverNamed } from '../../../src/disk/records/drivers.ts';
import { databasesAt } from '../support/databases.ts';

// Says what becomes of databases where the peer is not installed: this file is run from where it cannot be found.

const said = async (work: () => Promise<unknown>): Promise<string> => work().then(() => 'ok', (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`);

console.log(await said(() => driverNamed('wasm')));
console.log(await said(driverForNew));
console.log(await said(() => databasesAt('bucket').create('db')));
