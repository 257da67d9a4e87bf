import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../wpt/bundle.mjs';
import { checkResults } from '../../wpt/record/gate.ts';
import { testsOf, type Variant } from '../../wpt/runner/discover.ts';
import { runTest } from '../../wpt/runner/realm-launcher.ts';
import type { TestResult } from '../../wpt/runner/result.ts';
import { folders as real, hasCheckout } from './checkout.ts';

let scratch: string;
let ours: string;

beforeAll(async () => {
  await bundle();
  scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-realms-'));
  ours = path.join(scratch, 'ours');
  fs.mkdirSync(ours);
});

afterAll(() => fs.rmSync(scratch, { recursive: true }));

/** Runs a test that consists of this text. */
async function run(text: string, { variant = 'any' as Variant, product = false, patience = 1, name = 'a.any.js' } = {}): Promise<TestResult> {
  fs.writeFileSync(path.join(ours, name), text);
  const folders = { ...real, ours };
  const test = testsOf(folders, 'ours', `ours/${name}`).find((each) => each.variant === variant);
  if (test === undefined) throw new Error(`no variant ${variant}`);
  const homes = path.join(scratch, 'homes');
  const result = await runTest(test, { folders, product, scratch: homes, server: 'http://127.0.0.1:9', patience });
  expect(fs.readdirSync(homes), 'no root is left behind').toEqual([]);
  return result;
}

const passing = "test(() => undefined, 'passes');\n";
const pending = "promise_test(() => new Promise(() => undefined), 'never ends');\n";

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasCheckout).each(['any', 'any.worker'] as const)('a realm (%s)', (variant) => {
  it('reports every subtest and how the harness ended', async () => {
    const result = await run(`${passing}test(() => assert_true(false), 'fails');`, { variant });
    expect(result).toMatchObject({ harness: 'OK', subtests: [{ name: 'passes', status: 'PASS' }, { name: 'fails', status: 'FAIL' }] });
  });

  it('is what it says it is, and nothing of the other kind', async () => {
    const here = variant === 'any' ? 'isWindow' : 'isWorker';
    const checks = {
      any: "assert_true(self instanceof Window); assert_equals(self, window); assert_false('importScripts' in self); assert_false('WorkerGlobalScope' in self);",
      'any.worker': "assert_true(self instanceof DedicatedWorkerGlobalScope); assert_false('window' in self); assert_equals(typeof importScripts, 'function');",
    };
    const result = await run(`test(() => { assert_true(GLOBAL.${here}()); ${checks[variant]} }, 'kind');`, { variant });
    expect(result.subtests).toMatchObject([{ status: 'PASS' }]);
  });

  it('has nothing of Holdfast unless it is installed', async () => {
    const names = "['localStorage', 'Storage', 'FileSystemHandle', 'LockManager', 'StorageManager']";
    const text = `test(() => assert_false(${names}.some((name) => name in self)), 'absent');`;
    expect((await run(text, { variant })).subtests).toMatchObject([{ status: 'PASS' }]);
    expect((await run(text, { variant, product: true })).subtests).toMatchObject([{ status: 'FAIL' }]);
  });

  it('that calls process.exit is a crash; what it had reported stands', async () => {
    const text = `${passing}${pending}setTimeout(() => process.exit(0), 100);`;
    expect(await run(text, { variant })).toMatchObject({ harness: 'CRASH', subtests: [{ name: 'passes', status: 'PASS' }] });
  });

  it('that is aborted by its engine or killed is a crash', async () => {
    expect(await run(`${passing}process.kill(process.pid, 'SIGKILL');`, { variant })).toMatchObject({ harness: 'CRASH' });
    expect(await run(`${passing}process.abort();`, { variant: 'any' })).toMatchObject({ harness: 'CRASH' });
  });

  it('whose test never ends is timed out by the harness', async () => {
    const result = await run(pending, { variant, patience: 0.05 });
    expect(result).toMatchObject({ harness: 'TIMEOUT', subtests: [{ status: 'TIMEOUT' }] });
  });

  it('that is blocked is killed', async () => {
    expect(await run(`${passing}for (;;);`, { variant, patience: 0.05 })).toMatchObject({ harness: 'TIMEOUT' });
  });

  it('reports errors that nobody catches to the harness', async () => {
    const options = { variant, patience: 0.05 };
    expect(await run(`${pending}setTimeout(() => { throw new Error('stray'); });`, options)).toMatchObject({ harness: 'ERROR', message: expect.stringContaining('stray') as string });
    expect(await run(`${pending}Promise.reject(new Error('stray'));`, options)).toMatchObject({ harness: 'ERROR', message: expect.stringContaining('stray') as string });
  });

  it('whose script does not parse says so', async () => {
    expect(await run('const a = 1; const a = 2;', { variant })).toMatchObject({ harness: 'ERROR', message: expect.stringContaining('SyntaxError') as string });
  });

  it('takes workers, in threads or processes, with it when it ends', async () => {
    fs.writeFileSync(path.join(ours, 'worker.js'), 'postMessage(process.pid); setInterval(() => undefined, 1000);');
    const text = `// META: variant=?processes\npromise_test(() => new Promise((resolve) => {
      new Worker('worker.js').onmessage = ({ data }) => { test(() => undefined, 'pid ' + data); resolve(); };
    }), 'worker');`;
    const result = await run(text, { variant });
    const pid = Number(result.subtests.find(({ name }) => name.startsWith('pid '))?.name.slice(4));
    expect(pid).toBeGreaterThan(0);
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});

describe.skipIf(!hasCheckout)('a page', () => {
  it('has the clients of its frames apart, and hears from them', async () => {
    fs.writeFileSync(path.join(ours, 'frame.html'), "<script>localStorage.setItem('from', 'the frame');</script>");
    const text = `<title>A page</title><script src="/resources/testharness.js"></script><script>
      promise_test(async () => {
        const event = new Promise((resolve) => addEventListener('storage', resolve));
        const frame = document.createElement('iframe');
        frame.src = 'frame.html';
        document.body.appendChild(frame);
        const { key, newValue, url } = await event;
        assert_array_equals([key, newValue, url], ['from', 'the frame', new URL('frame.html', location.href).href]);
        assert_not_equals(frame.contentWindow.localStorage, localStorage);
      }, 'storage event');
    </script>`;
    expect(await run(text, { name: 'page.html', variant: 'html', product: true })).toMatchObject({ harness: 'OK', subtests: [{ status: 'PASS' }] });
  });
});

describe.skipIf(!hasCheckout)('the gate on real results', () => {
  it('fails when the product is broken on purpose, and when a failure is recorded that is none', async () => {
    const text = "promise_test(async () => (await navigator.storage.getDirectory()).getFileHandle('file', { create: true }), 'makes a file');";
    const good = await run(text, { product: true });
    const broken = await run(`FileSystemDirectoryHandle.prototype.getFileHandle = async () => { throw new TypeError('broken'); };\n${text}`, { product: true });
    expect(checkResults({ run: true }, [good])).toEqual([]);
    expect(checkResults({ run: true }, [broken])).toMatchObject([{ kind: 'failure', subtest: 'makes a file' }]);
    const recorded = { run: true, except: [{ reason: 'bug', note: 'on purpose', subtests: ['makes a file'] }] } as const;
    expect(checkResults(recorded, [broken])).toEqual([]);
    expect(checkResults(recorded, [good])).toMatchObject([{ kind: 'pass', subtest: 'makes a file' }]);
  });
});
