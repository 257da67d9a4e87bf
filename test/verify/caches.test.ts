import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isHarmless } from '../../src/disk/verify/finding.ts';
import { bucketOf, change, sampleRoot, verify } from './sample.ts';

async function responsesOf(): Promise<{ root: string; files: string[] }> {
  const root = await sampleRoot();
  const directory = path.join(bucketOf(root), 'caches', 'responses');
  return { root, files: fs.readdirSync(directory).sort().map((name) => path.join(directory, name)) };
}

test('a response that is missing, cut back or changed at its beginning is found, with its URL', async () => {
  const damages: Record<string, (file: string) => void> = {
    missing: (file) => fs.unlinkSync(file),
    'cut back': (file) => fs.truncateSync(file, 4000),
    changed: (file) => change(file, 20),
    'no response': (file) => change(file, 0),
  };
  for (const damage of Object.values(damages)) {
    const { root, files: [file = ''] } = await responsesOf();
    damage(file);
    const { findings } = verify(root);
    expect(findings.filter((finding) => !isHarmless(finding))).toMatchObject([{ kind: 'damaged', path: file, journal: 'caches/index' }]);
    expect(findings[0]?.message).toContain('https://a.example/');
  }
});

test('a response that no cache has is told of, and harmless', async () => {
  const { root, files: [file = ''] } = await responsesOf();
  const stray = path.join(path.dirname(file), '0d3f1a52-7b6e-4c1d-9a8f-2e5b7c4d6f10.1-x');
  fs.writeFileSync(stray, 'begun');
  const { findings } = verify(root);
  expect(findings.every(isHarmless)).toBe(true);
  expect(findings.find(({ kind }) => kind === 'torn')?.message).toContain('1 responses of 5 bytes');
});
