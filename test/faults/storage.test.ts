import { scenarios } from '../crash/support/scenarios.ts';
import { namesOfStorage, namesOfTransactions, testFaults } from './fault-tests.ts';

const isTransaction = ({ name }: { readonly name: string }): boolean => name === 'transactions';

testFaults(scenarios.storage.filter((each) => !isTransaction(each)), namesOfStorage);
testFaults(scenarios.storage.filter(isTransaction), namesOfTransactions);
