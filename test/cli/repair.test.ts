import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bucketOf, change, framesOf, generationOf, journalOf, ORIGIN, sampleRoot } from '../verify/sample.ts';
import { commandOf } from './support.ts';

interface Document {
  readonly sound: boolean;
  readonly findings: { kind: string; path: string }[];
  readonly repairs: { path: string }[];
}

const session = '0d3f1a52-7b6e-4c1d-9a8f-2e5b7c4d6f10';

test('verify --repair counts again, writes again what is known, deletes what nobody needs, and looks again', async () => {
  const root = await sampleRoot();
  const holdfast = commandOf(root);
  const bucket = bucketOf(root);
  fs.writeFileSync(path.join(bucket, 'trash', `${session}.1-x`), 'x');
  fs.mkdirSync(path.join(bucket, 'swap', session));
  fs.writeFileSync(path.join(bucket, 'swap', session, '1-x'), 'x');
  fs.rmSync(path.join(root, 'origins', 'https_app.example', 'origin.json'));
  change(generationOf(root, 'channels'), 10);
  change(generationOf(root, 'quota'), 10);
  expect(await holdfast('verify')).toMatchObject({ code: 1 });
  const { code, out } = await holdfast('verify', '--repair', '--json');
  const { sound, findings, repairs } = JSON.parse(out) as Document;
  expect({ code, sound, findings }).toEqual({ code: 0, sound: true, findings: [] });
  expect(repairs.map(({ path: at }) => path.relative(root, at)).sort()).toEqual(
    ['origins/https_app.example/default/channels', 'origins/https_app.example/default/quota/0', 'origins/https_app.example/default/swap', 'origins/https_app.example/default/trash', 'origins/https_app.example/origin.json'],
  );
  expect(JSON.parse(fs.readFileSync(path.join(root, 'origins', 'https_app.example', 'origin.json'), 'utf8'))).toMatchObject({ origin: ORIGIN });
  await using host = new StorageHost({ root });
  expect((await host.origin(ORIGIN).storage.estimate()).usageDetails.fileSystem).toBe(2 * (4096 + 5000));
});

test('verify --repair leaves what is damaged and may be in a backup as it is', async () => {
  const root = await sampleRoot();
  const { from } = framesOf(journalOf(root, 'local-storage')).frames.at(-2) ?? { from: 0 };
  change(generationOf(root, 'local-storage'), from + 50);
  const before = fs.readFileSync(generationOf(root, 'local-storage'));
  const { code, out } = await commandOf(root)('verify', '--repair', '--json');
  expect({ code, ...(JSON.parse(out) as Document) }).toMatchObject({ code: 1, sound: false, findings: [{ kind: 'damaged' }], repairs: [] });
  expect(fs.readFileSync(generationOf(root, 'local-storage')).equals(before)).toBe(true);
});
