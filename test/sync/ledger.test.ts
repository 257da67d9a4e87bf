import { describe, expect, test } from 'vitest';

interface Ledger {
  fileStep(writer: string, step: number): { name: string; content: string | null };
  faultOfFiles(files: ReadonlyMap<string, string>, writer: string, done: number, wasKilled: boolean): string | null;
}
const { fileStep, faultOfFiles } = (await import(new URL('../../scripts/demo-regions/ledger.mjs', import.meta.url).href)) as Ledger;

const writer = 'us-1';
/** Step 55 removed the file that step 61, the next, makes anew. */
const done = 60;

function filesAfter(last: number): Map<string, string> {
  const files = new Map<string, string>();
  for (let step = 1; step <= last; step += 1) {
    const { name, content } = fileStep(writer, step);
    if (content === null) files.delete(name);
    else files.set(name, content);
  }
  return files;
}

/** What a look at the files finds after a change of the one that step 55 and step 61 act on. */
function fault(wasKilled: boolean, content: string): string | null {
  return faultOfFiles(filesAfter(done).set(fileStep(writer, done + 1).name, content), writer, done, wasKilled);
}

describe('what demo:regions holds against the files of a writer', () => {
  test('nothing, when they are as its steps leave them', () => {
    expect(faultOfFiles(filesAfter(done), writer, done, false)).toBeNull();
    expect(faultOfFiles(filesAfter(done), writer, done, true)).toBeNull();
  });

  test('nothing, when it was killed after making a file and before writing it', () => {
    expect(fault(true, '')).toBeNull();
    expect(fault(true, fileStep(writer, done + 1).content ?? '')).toBeNull();
  });

  test('a file that is empty, although nobody was killed', () => {
    expect(fault(false, '')).toBe('the file own-us-1-1 is empty, not as us-1 left it in step 55');
  });

  test('a file that a killed writer had removed and that is back', () => {
    expect(fault(true, fileStep(writer, 49).content ?? '')).toBe('the file own-us-1-1 is as of step 49, not as us-1 left it in step 55');
  });

  test('a file that a killed writer had written and that is lost or empty', () => {
    const { name } = fileStep(writer, done);
    const lost = filesAfter(done);
    lost.delete(name);
    expect(faultOfFiles(lost, writer, done, true)).toBe(`the file ${name} is absent, not as us-1 left it in step 60`);
    expect(faultOfFiles(filesAfter(done).set(name, ''), writer, done, true)).toBe(`the file ${name} is empty, not as us-1 left it in step 60`);
  });
});
