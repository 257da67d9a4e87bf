import { records } from '../expectations/index.ts';
import { advantagesOf, sharedFiles, type Advantage } from './compare.ts';
import { fetchPublished } from './published.ts';

/** `npm run wpt:fake-indexeddb`: true when nothing that a server can run passes there and fails here, on the Node that runs this. */
export async function compareWithPublished(): Promise<boolean> {
  const record = records.IndexedDB;
  const { commit, files } = await fetchPublished(Number(process.versions.node.split('.')[0]));
  const shared = sharedFiles(files, record).length;
  console.log(`fake-indexeddb at ${commit.slice(0, 12)}: ${files.size} files, of which ${shared} are in wpt/expectations`);
  const advantages = advantagesOf(files, record);
  const [outOfReach, real] = [advantages.filter(({ isOutOfReach }) => isOutOfReach), advantages.filter((each) => !each.isOutOfReach)];
  print('pass there, with stand-ins for what no server has', outOfReach);
  print('pass there and fail here', real);
  return real.length === 0 && 2 * shared > files.size;
}

function print(what: string, advantages: readonly Advantage[]): void {
  console.log(`${what}: ${advantages.length === 0 ? 'none' : advantages.length}`);
  for (const { file, subtest, reason } of advantages) console.log(`  ${file}: ${subtest ?? 'the whole file'} (${reason})`);
}
