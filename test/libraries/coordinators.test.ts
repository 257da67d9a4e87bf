import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { temporaryRoot } from './temporary.ts';

/** Starts a process of an example, on a port of its own. */
async function serve(name: string, root: string): Promise<{ url: string; kill: () => void; stop: () => Promise<unknown> }> {
  const server = spawn(process.execPath, [fileURLToPath(new URL(`../../examples/${name}.mjs`, import.meta.url))], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, ROOT: root, PORT: '0', PROCESSES: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  const kill = (): void => void server.kill('SIGKILL');
  onTestFinished(kill);
  const [line] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  const url = /(?:http|ws):\/\/localhost:\d+/.exec(line)?.[0] ?? '';
  return {
    url,
    kill,
    stop: () => {
      server.kill('SIGTERM');
      return ended;
    },
  };
}

test('examples/coordinator.mjs sells each seat once among its processes, also when one is killed', { timeout: 120_000 }, async () => {
  const root = temporaryRoot();
  const [a, b] = [await serve('coordinator', root), await serve('coordinator', root)];
  const book = async (url: string): Promise<string> => (await fetch(`${url}/tonight?name=x`, { method: 'POST' })).text();
  const some = await Promise.all(Array.from({ length: 60 }, (_, n) => book(n % 2 === 0 ? a.url : b.url)));
  a.kill();
  const more = await Promise.all(Array.from({ length: 50 }, () => book(b.url)));
  const seats = [...some, ...more].map(Number).filter((seat) => !Number.isNaN(seat));
  expect([...seats].sort((one, other) => one - other)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
  expect(await (await fetch(`${b.url}/tonight?seat=7`, { method: 'PUT' })).text()).toBe('paid\n');
  await b.stop();
});

interface Message {
  readonly number: number;
  readonly text: string;
}

/** Somebody in a room, and what they have heard. */
async function join(url: string, from: number): Promise<{ heard: Message[]; say: (text: string) => void }> {
  const socket = new WebSocket(`${url}/hall?from=${from}`);
  const heard: Message[] = [];
  socket.on('message', (data) => heard.push(JSON.parse((data as Buffer).toString()) as Message));
  socket.on('error', () => undefined);
  await once(socket, 'open');
  onTestFinished(() => socket.terminate());
  return { heard, say: (text) => socket.send(text) };
}

test('examples/chat.mjs gives all who are in a room the same history, in whichever process, also when one is killed', { timeout: 120_000 }, async () => {
  const root = temporaryRoot();
  const [a, b] = [await serve('chat', root), await serve('chat', root)];
  const [ada, bob] = [await join(a.url, 0), await join(b.url, 0)];
  for (let n = 0; n < 10; n++) (n % 2 === 0 ? ada : bob).say(`${n}`);
  await expect.poll(() => [ada.heard.length, bob.heard.length], { timeout: 60_000 }).toEqual([10, 10]);
  expect(ada.heard).toEqual(bob.heard);
  expect(ada.heard.map(({ text }) => Number(text)).sort((one, other) => one - other)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  a.kill();
  bob.say('after');
  const late = await join(b.url, 8);
  await expect.poll(() => [bob.heard.length, late.heard.length], { timeout: 60_000 }).toEqual([11, 3]);
  expect(late.heard).toEqual(bob.heard.slice(8));
  expect(bob.heard.at(-1)).toEqual({ number: 10, text: 'after' });
  await b.stop();
});
