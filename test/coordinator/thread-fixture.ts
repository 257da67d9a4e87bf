/** A thread that serves the register, and calls it when it is told to. */
import { parentPort, workerData } from 'node:worker_threads';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';
import { ORIGIN, Register } from './server-fixture.ts';

const host = new StorageHost({ root: String(workerData), ...encrypted });
const coordinators = new Coordinators(host, { Register }, { suspectAfter: 400 });
const register = coordinators.get(ORIGIN, Register, 'shared');

parentPort?.on('message', (times: number) => {
  void Promise.all(Array.from({ length: times }, () => register.counted())).then((results) => parentPort?.postMessage(results));
});
