import { execFile } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { HubProcess } from '../sync/embedded/hub-process.ts';
import { change, framesOf, generationOf, journalOf, sampleRoot } from '../verify/sample.ts';

const source = bundleFixture(new URL('./program.ts', import.meta.url));
const built = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function runFile(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { env: { ...process.env, HOLDFAST_HUB_TOKEN: '', ...env } }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}

const holdfast = async (...args: string[]): Promise<Ended> => runFile(await source, args);

function temporary(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-cli-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('--help shows every command, in columns', async () => {
  const { code, out, err } = await holdfast('--help');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^Usage: holdfast <command> \[options\]\n/);
  expect(out).toMatch(/^ {2}hub +serve a hub/m);
  expect((await holdfast('-h')).out).toBe(out);
});

test('--help after a command shows its options, aligned, in no more than 120 columns', async () => {
  const { code, out } = await holdfast('hub', '--help');
  expect(code).toBe(0);
  const options = out.split('\n').filter((line) => line.startsWith('  --'));
  expect(options.map((line) => /--[a-z-]+/.exec(line)?.[0])).toEqual(['--root', '--token-file', '--port', '--host', '--max-unnamed-bytes', '--cert', '--key']);
  expect(new Set(options.map((line) => /^ {2}--\S+ \S+ +/.exec(line)?.[0].length)).size).toBe(1);
  expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(120);
});

test('--version of the built command is that of the package', async () => {
  const { version } = JSON.parse(fs.readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(await runFile(built, ['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
});

test.each([
  [['hubb'], /unknown command 'hubb'/],
  [['--hub'], /unknown option '--hub'/],
  [['hub', '--rot', 'x'], /Unknown option '--rot'/],
  [['hub', '--root', 'x', 'y'], /unexpected 'y'/],
  [['hub'], /'--root DIR' is missing/],
  [['hub', '--root'], /'--root .*argument/],
  [['hub', '--root', 'x'], /'--token-file FILE' is missing/],
  [['hub', '--root', 'x', '--token-file', 'x', '--cert', 'x'], /'--cert' and '--key'/],
  [['hub', '--root', 'x', '--port', '99999'], /'--port' takes a number/],
  [['verify', '--root', 'x', 'y'], /unexpected 'y'/],
  [['verify', '--root', 'x', '--json=1'], /'--json'/],
])('%j is refused with exit code 2, one line, and how it is used', async (args, message) => {
  const { code, out, err } = await holdfast(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(message);
  expect(err).toMatch(/^holdfast.*(--help' shows.*|\nUsage: holdfast .*)\n$/);
});

test('no command at all is answered with the help, and exit code 2', async () => {
  const { code, err } = await holdfast();
  expect(code).toBe(2);
  expect(err).toMatch(/^Usage: /);
});

test('what cannot be read or used ends it with exit code 1 and a sentence', async () => {
  const folder = temporary();
  const token = path.join(folder, 'token');
  fs.writeFileSync(token, 'secret token', { mode: 0o600 });
  const missing = await holdfast('hub', '--root', path.join(folder, 'root'), '--token-file', path.join(folder, 'none'));
  expect(missing).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast hub: The file .*none cannot be read \(ENOENT\)\.\n$/) });
  const unusable = await holdfast('hub', '--root', path.join(folder, 'root'), '--token-file', token);
  expect(unusable).toMatchObject({ code: 1, err: expect.not.stringContaining('secret') });
  fs.writeFileSync(token, '\n');
  expect((await holdfast('hub', '--root', path.join(folder, 'root'), '--token-file', token)).err).toMatch(/is empty/);
  fs.writeFileSync(token, 'token');
  expect(await holdfast('hub', '--root', token, '--token-file', token)).toMatchObject({ code: 1, err: expect.stringMatching(/is a file, not a directory/) });
});

test('a port that is taken ends it with exit code 1', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const folder = temporary();
  const { port } = server.address() as net.AddressInfo;
  const ended = await runFile(await source, ['hub', '--root', folder, '--port', String(port)], { HOLDFAST_HUB_TOKEN: 'token' });
  expect(ended).toMatchObject({ code: 1, err: expect.stringMatching(/cannot listen on 127\.0\.0\.1, port [0-9]+ \(EADDRINUSE\)/) });
});

test('a token file that others may read is warned about', async () => {
  const hub = await HubProcess.start();
  onTestFinished(() => hub.remove());
  expect(hub.output).not.toContain('chmod');
  fs.chmodSync(hub.tokenFile, 0o644);
  await hub.crash();
  expect(hub.output).toMatch(/others than its owner may read .*token; 'chmod 600'/);
});

test('--help of verify shows options with and without a value, aligned', async () => {
  const { code, out } = await holdfast('verify', '--help');
  expect(code).toBe(0);
  expect(out).toMatch(/^Usage: holdfast verify \[--repair\] \[--json\]\n/);
  expect(out).toMatch(/^ {2}--json {13}print.*\n {2}--root DIR {9}the root/m);
});

test('verify of a sound root says so, with exit code 0, after torn writes too', async () => {
  const root = await sampleRoot();
  const clean = await holdfast('verify', '--root', root);
  expect(clean).toEqual({ code: 0, out: `${root}: no damage. Looked at 6 journals of 1 origin.\n`, err: '' });
  const file = generationOf(root, 'local-storage');
  fs.appendFileSync(file, fs.readFileSync(file).subarray(16, 32));
  const torn = await holdfast('verify', '--root', root);
  expect(torn).toMatchObject({ code: 0, err: '' });
  expect(torn.out).toMatch(/^torn .*default\/local-storage\/0 +[0-9]+ +16$/m);
  const { code, out } = await holdfast('verify', '--root', root, '--json');
  expect({ code, document: JSON.parse(out) as unknown }).toMatchObject({ code: 0, document: { root, sound: true, origins: 1, journals: 6, findings: [{ kind: 'torn', length: 16 }] } });
});

test('verify finds a damaged record, in a table and as JSON, with exit code 1', async () => {
  const root = await sampleRoot();
  const { frames } = framesOf(journalOf(root, 'local-storage'));
  const { from, to } = frames.at(-2) ?? { from: 0, to: 0 };
  change(generationOf(root, 'local-storage'), from + 50);
  const { code, out, err } = await holdfast('verify', '--root', root);
  expect({ code, err }).toEqual({ code: 1, err: '' });
  const [headings = '', row = '', cost, , summary] = out.split('\n');
  expect(row.split(/ {2,}/)).toEqual(['damaged', 'https://app.example', 'origins/https_app.example/default/local-storage/0', String(from), String(to - from)]);
  expect(headings.indexOf('offset')).toBe(row.indexOf(` ${from}`) + 1);
  expect(cost).toMatch(/^ {2}.*localStorage there is lost/);
  expect(summary).toMatch(/damage in one place\. Looked at 6 journals of 1 origin\.$/);
  const json = await holdfast('verify', '--json', '--root', root);
  expect(json.code).toBe(1);
  const finding = { kind: 'damaged', origin: 'https://app.example', bucket: 'default', journal: 'local-storage', path: generationOf(root, 'local-storage'), offset: from, length: to - from };
  expect(JSON.parse(json.out)).toMatchObject({ sound: false, findings: [finding] });
});

test('verify of what is no root, or a newer one, ends with exit code 1 and one line', async () => {
  const folder = temporary();
  const verify = async (...parts: string[]): Promise<Ended> => await holdfast('verify', '--root', path.join(folder, ...parts));
  expect(await verify('none')).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast verify: There is no root at .*none\.\n$/) });
  fs.mkdirSync(path.join(folder, 'foreign', 'origins', 'mine'), { recursive: true });
  expect(await verify('foreign')).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast verify: .*not Holdfast's.*\n$/) });
  fs.mkdirSync(path.join(folder, 'newer'));
  fs.writeFileSync(path.join(folder, 'newer', 'holdfast.json'), '{"format":2}');
  expect(await verify('newer')).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast verify: .*format 2.*newer version.*\n$/) });
  fs.writeFileSync(path.join(folder, 'file'), '');
  expect(await verify('file')).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast verify: .*\n$/) });
  expect(fs.readdirSync(folder).sort()).toEqual(['file', 'foreign', 'newer']);
});
