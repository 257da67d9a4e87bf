import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
import { Root } from '../../src/disk/root/root.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/index.ts';
import { A, archiveOf, B, openHost, piecesOf, temporary } from './support.ts';

const LATER = 4_000_000_000_000;

class Note extends Coordinator {
  #read: string | null = null;

  write(text: string): void {
    this.localStorage.setItem('text', text);
  }

  async file(content: string): Promise<void> {
    const handle = await (await this.storage.getDirectory()).getFileHandle('file', { create: true });
    const writable = await handle.createWritable();
    await writable.write(content);
    await writable.close();
  }

  wake(): void {
    this.state.setAlarm(LATER);
  }

  override alarm(): void {}

  /** As it was when it was read first: only another instance says something else. */
  read(): string | null {
    return (this.#read ??= this.localStorage.getItem('text'));
  }

  async readFile(): Promise<string> {
    return await (await (await (await this.storage.getDirectory()).getFileHandle('file')).getFile()).text();
  }

  async alarmTime(): Promise<number | null> {
    return Number(await this.state.getAlarm());
  }
}

const names = ['plain', 'ü/\\.. \u{1f600}', 'long'.repeat(100)];

function open(root: string): { readonly host: StorageHost; readonly coordinators: Coordinators; close(): Promise<void> } {
  const host = openHost(root);
  const coordinators = new Coordinators(host, { Note });
  const close = async (): Promise<void> => {
    await coordinators.close();
    await host.close();
  };
  onTestFinished(close);
  return { host, coordinators, close };
}

async function written(): Promise<string> {
  const root = path.join(temporary(), 'root');
  const { coordinators, close } = open(root);
  for (const name of names) {
    const note = coordinators.get(A, Note, name);
    await note.write(`text of ${name} \ud800`);
    await note.file(`file of ${name}`);
    await note.wake();
  }
  await coordinators.get(A, Note, 'with a map only').write('alone');
  await close();
  return root;
}

async function expectAll(root: string, origin: string): Promise<void> {
  const index = new AlarmIndex(new Root(root, 'relaxed'));
  index.look();
  const due = index.due(LATER).filter((key) => key.origin === origin);
  expect(due.map(({ name }) => name).sort()).toEqual([...names].sort());
  expect(index.due(LATER - 1)).toEqual([]);
  index.close();
  const { coordinators, close } = open(root);
  for (const name of names) {
    const note = coordinators.get(origin, Note, name);
    expect([await note.read(), await note.readFile(), await note.alarmTime()]).toEqual([`text of ${name} \ud800`, `file of ${name}`, LATER]);
  }
  expect(await coordinators.get(origin, Note, 'with a map only').read()).toBe('alone');
  await close();
}

test('coordinators go into an archive with their storage and alarms, and come back in another root under another origin', async () => {
  const archive = await archiveOf(openHost(await written()));
  const target = openHost();
  await target.importOrigin(piecesOf(archive), { origin: B });
  await expectAll(target.root, B);
});

test('coordinators of an archive are merged into those that are there', async () => {
  const archive = await archiveOf(openHost(await written()));
  const root = path.join(temporary(), 'root');
  const { coordinators, host, close } = open(root);
  await coordinators.get(A, Note, names[0] ?? '').write('before');
  await coordinators.get(A, Note, 'of nobody else').write('kept');
  expect(await host.importOrigin(piecesOf(archive), { existing: 'merge' })).toMatchObject([{ outcome: 'merged' }]);
  expect(await coordinators.get(A, Note, 'of nobody else').read()).toBe('kept');
  // It was running meanwhile, and is another one now.
  expect(await coordinators.get(A, Note, names[0] ?? '').read()).toBe(`text of ${names[0]} \ud800`);
  await close();
  await expectAll(root, A);
});

test('coordinators come back from a backup, with their alarms, and whoever runs one gives it up', async () => {
  const root = await written();
  const backups = path.join(temporary(), 'backups');
  const { coordinators, host, close } = open(root);
  const [name = ''] = names;
  const note = coordinators.get(A, Note, name);
  expect(await note.read()).toBe(`text of ${name} \ud800`);
  expect(await host.backup(backups)).toMatchObject({ problems: [] });
  await note.write('after the backup');
  await StorageHost.restore({ from: backups, root, origin: A, replace: true });
  await note.write('after the restoration').catch(() => undefined);
  // What was in memory is not what is on the disk: whoever has it gives it up, and the next one reads what came back.
  const seen = new Set([`text of ${name} \ud800`, 'after the restoration']);
  await expect.poll(async () => seen.has((await note.read().catch(() => null)) ?? '')).toBe(true);
  expect(await note.readFile()).toBe(`file of ${name}`);
  await close();
  const to = path.join(temporary(), 'to');
  await StorageHost.restore({ from: backups, root: to });
  await expectAll(to, A);
});
