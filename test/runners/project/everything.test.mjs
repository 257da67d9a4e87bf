// The same tests for every runner that has `test`: all of Holdfast, loaded in the realm that the runner makes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as holdfast from 'holdfast';
import { fakeTimers, test } from './runner.mjs';
import { useEverything } from './surface.mjs';

async function withRoot(body) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-runners-'));
  try {
    await body(join(directory, 'root'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const here = (source) => (0, eval)(source);

test('everything works', () => withRoot((root) => useEverything(holdfast, root, here)));

test('everything works while timers and clocks are faked', () =>
  withRoot(async (root) => {
    const undo = fakeTimers();
    try {
      await useEverything(holdfast, root, here);
    } finally {
      undo();
    }
  }));

test('errors are of the classes that the realm has', async () =>
  withRoot(async (root) => {
    const host = new holdfast.StorageHost({ root });
    const error = await (await host.origin('https://app.example').storage.getDirectory()).getFileHandle('missing').catch((reason) => reason);
    if (!(error instanceof DOMException)) throw new Error(`${error?.stack} is no DOMException`);
    await host.close();
  }));
