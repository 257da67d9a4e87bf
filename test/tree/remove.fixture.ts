// Removes the directory 'd' of the bucket that it is given, and has nothing more to do.
import { FileTree } from '../../src/disk/tree/file-tree.ts';

const tree = new FileTree({ path: process.argv[2] ?? '', ensure: () => {} }, { epoch: () => 0, session: '00000000-0000-4000-8000-000000000099' });
tree.remove(['d']);
