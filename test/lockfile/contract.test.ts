import { contract } from './contract.ts';

contract('on a local disk', {});
contract("with shared: 'lockfile'", { shared: 'lockfile' });
