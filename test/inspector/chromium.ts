import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const command = path.join(repository, 'dist/cli.js');

/** Chromium as distributions have it; undefined where there is none, and what needs it is skipped. */
export const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((file) => file !== undefined && fs.existsSync(file));

let browser: Promise<Browser> | undefined;

export async function closeBrowser(): Promise<void> {
  await (await browser)?.close();
}

/** `npx holdfast inspect`, as a process of its own; its address. */
export async function startInspector(root: string, ...options: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [command, 'inspect', '--root', root, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [out, err] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  return await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (out.includes('\n')) resolve(out.trim());
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${err}`)));
  });
}

export interface Seen {
  readonly page: Page;
  /** What the browser complained of: errors, refused scripts, dialogs. */
  readonly complaints: string[];
  /** Where it has asked for anything. */
  readonly places: Set<string>;
  /** Into `.cache`, for who wants to look. */
  picture(name: string): Promise<void>;
}

export async function open(address: string, options: BrowserContextOptions = {}): Promise<Seen> {
  if (executablePath === undefined) throw new Error('There is no Chromium.');
  browser ??= chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  const context = await (await browser).newContext({ viewport: { width: 1180, height: 700 }, ...options });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const complaints: string[] = [];
  const places = new Set<string>();
  // Whoever asks for what another process has just removed is answered so.
  page.on('console', (message) => message.type() === 'error' && !message.text().includes('status of 404') && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => places.add(new URL(request.url()).origin));
  await page.goto(address);
  await page.getByRole('heading', { name: 'Holdfast' }).waitFor();
  const picture = async (name: string): Promise<void> => void (await page.screenshot({ path: path.join(repository, '.cache', `inspector-${name}.png`) }));
  return { page, complaints, places, picture };
}
