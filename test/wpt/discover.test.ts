import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Folders } from '../../wpt/realm/config.ts';
import { findFiles, nameOf, testsOf } from '../../wpt/runner/discover.ts';

let checkout: string;
let folders: Folders;

beforeEach(() => {
  checkout = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-discover-'));
  folders = { checkout, ours: path.join(checkout, 'ours'), examples: path.join(checkout, 'examples') };
});

afterEach(() => fs.rmSync(checkout, { recursive: true }));

function write(file: string, text = ''): void {
  fs.mkdirSync(path.dirname(path.join(checkout, file)), { recursive: true });
  fs.writeFileSync(path.join(checkout, file), text);
}

function namesOf(file: string, text: string): string[] {
  write(file, text);
  return testsOf(folders, 'fs', file).map(nameOf);
}

describe('the files of a suite', () => {
  it('are its tests of every kind, without what only helps them', () => {
    const tests = ['fs/a.any.js', 'fs/b.https.window.js', 'fs/c.worker.js', 'fs/d.html', 'fs/e-manual.htm', 'fs/deeper/f.any.js'];
    const others = ['fs/helpers.js', 'fs/README.md', 'fs/resources/g.html', 'fs/script-tests/h.any.js', 'fs/deeper/support/i.html'];
    for (const file of [...tests, ...others]) write(file);
    expect(findFiles(folders, 'fs')).toEqual([...tests].sort());
  });
});

describe('the realms that a file is run in', () => {
  it('are a window and a worker for .any.js, unless it says otherwise', () => {
    expect(namesOf('fs/a.any.js', '')).toEqual(['fs/a.any.js (any)', 'fs/a.any.js (any.worker)']);
    expect(namesOf('fs/a.any.js', '// META: global=window\n')).toEqual(['fs/a.any.js (any)']);
    expect(namesOf('fs/a.any.js', '// META: global=dedicatedworker,sharedworker\n')).toEqual(['fs/a.any.js (any.worker)']);
    expect(namesOf('fs/a.any.js', '// META: global=serviceworker\n')).toEqual([]);
  });

  it('are the one that the name says for others', () => {
    expect(namesOf('fs/a.window.js', '')).toEqual(['fs/a.window.js (window)']);
    expect(namesOf('fs/a.worker.js', '')).toEqual(['fs/a.worker.js (worker)']);
    expect(namesOf('fs/a.html', '')).toEqual(['fs/a.html (html)']);
  });

  it('are as many as there are variants', () => {
    expect(namesOf('fs/a.window.js', '// META: variant=\n// META: variant=?two\n')).toEqual(['fs/a.window.js (window)', 'fs/a.window.js (window)?two']);
  });
});

describe('what a file says about itself', () => {
  it('is its title, time limit and scripts, in order, between the harness and itself', () => {
    write('fs/a.any.js', '// META: title=A title\n// META: script=first.js\n// META: script=/common/second.js\n// META: timeout=long\n');
    expect(testsOf(folders, 'fs', 'fs/a.any.js')[0]).toMatchObject({
      title: 'A title',
      timeout: 'long',
      scripts: ['/resources/testharness.js', 'first.js', '/common/second.js', '/fs/a.any.js'],
    });
  });

  it('is in a meta element for a page', () => {
    write('fs/a.html', '<meta name="timeout" content="long">');
    expect(testsOf(folders, 'fs', 'fs/a.html')[0]).toMatchObject({ timeout: 'long', scripts: ['/fs/a.html'] });
  });
});
