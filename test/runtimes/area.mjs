// Runs one area of tests on one runtime, in a process of its own. The tests may ask for further processes of the same
// runtime: they are started here, so that the tests need no permission to start any.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** For each test, and from one kill to the next, in milliseconds; longer than the lease (30 s) that decides on Deno whether a session that is gone has died. */
const LIMIT_MS = 150_000;

/** In each test of what a kill leaves. */
const KILLS = 8;

/**
 * @param options - `others`: what processes may be started of other runtimes, by their folders; `isSome`: half of the kills.
 * @returns {Promise<{ passed: string[], failed: { name: string, error: string }[] }>}
 */
export async function runArea(runtime, command, project, area, { others = new Map(), isSome = false } = {}) {
  const data = mkdtempSync(join(tmpdir(), 'holdfast-runtimes-'));
  const processes = new Map();
  const results = { passed: [], failed: [] };
  let done = false;

  const { kills = KILLS, limitMs = LIMIT_MS } = (area === 'crash' && runtime.crash) || {};
  const own = { runtime, command };
  const launch = (program, { args = [], env = {}, preload = false, on }) => {
    const { runtime: chosen, command: binary } = others.get(on) ?? own;
    return spawn(binary, [...chosen.flags({ data, project, area }), ...(preload ? chosen.preload(globals) : []), join(project, program), ...args], {
      cwd: project,
      env: { ...process.env, NO_COLOR: '1', TEST_DATA: data, TEST_KILLS: String(isSome ? kills / 2 : kills), TEST_RUNTIMES: [...others.keys()].join(), ...env },
      stdio: 'pipe',
    });
  };

  const tests = launch(`areas/${area}.mjs`, {});
  const tell = (message) => tests.stdin.writable && tests.stdin.write(`${JSON.stringify(message)}\n`);
  const requests = {
    test({ name, error }) {
      limit.refresh();
      if (error === undefined) results.passed.push(name);
      else results.failed.push({ name, error });
    },
    done: () => {
      done = true;
      tests.stdin.end();
    },
    start({ id, program, ...options }) {
      const child = launch(`programs/${program}.mjs`, options);
      processes.set(id, child);
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
      createInterface({ input: child.stdout }).on('line', (line) => tell({ id, line }));
      child.stdin.on('error', () => undefined);
      child.on('close', (code, signal) => {
        processes.delete(id);
        tell({ id, ended: { code, signal, stderr } });
      });
    },
    send: ({ id, line }) => processes.get(id)?.stdin.write(`${line}\n`),
    kill({ id, signal }) {
      limit.refresh();
      processes.get(id)?.kill(signal);
    },
  };

  let output = '';
  const note = (text) => (output = (output + text).slice(-4000));
  tests.stdin.on('error', () => undefined);
  tests.stderr.setEncoding('utf8').on('data', note);
  createInterface({ input: tests.stdout }).on('line', (line) => {
    if (!line.startsWith('{')) return note(`${line}\n`);
    const { request, ...message } = JSON.parse(line);
    requests[request](message);
  });

  const limit = setTimeout(() => tests.kill('SIGKILL'), limitMs);
  const { code, signal } = await ended(tests);
  clearTimeout(limit);
  for (const child of processes.values()) child.kill('SIGKILL');
  if (!done || code !== 0) {
    const how = signal === null ? `exit code ${code}` : `killed by ${signal} after ${limitMs / 1000} s without a result`;
    results.failed.push({ name: done ? 'the process ends by itself' : 'the area runs to its end', error: `${how}\n${output}` });
  }
  rmSync(data, { recursive: true, force: true });
  return results;
}

/** How the door to the globals is named on a command line. */
const globals = { specifier: 'holdfast/globals', denoSpecifier: 'npm:holdfast/globals' };

function ended(child) {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: error.message, signal: null }));
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
}
