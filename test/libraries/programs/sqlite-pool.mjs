// Opens a pool of database files, and lets another process try the same. argv: 'other' in that other process.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { openDatabase } from '../../../examples/sqlite.mjs';

if (process.argv[2] === 'other') {
  const outcome = await openDatabase('app.db').then(() => 'opened', (error) => error.name);
  console.log(JSON.stringify(outcome));
} else {
  const db = await openDatabase('app.db');
  const program = process.argv[1];
  const { stdout } = spawnSync(process.execPath, ['--import', 'holdfast/globals', program, 'other'], { encoding: 'utf8' });
  console.log(JSON.stringify({ other: JSON.parse(stdout.trim().split('\n').at(-1)), own: db.selectValue('SELECT 1') }));
  db.close();
}
