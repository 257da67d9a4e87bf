import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { connected, entry, startedHub, temporaryRoot, TOKEN } from './in-process.ts';
import { send } from './request.ts';

const get = (url: string, headers: Record<string, string> = {}) => send(url, { method: 'GET', headers: { authorization: '', ...headers } });

/** Without the header that `send` puts in. */
async function getPlain(url: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers });
  return { status: response.status, text: await response.text() };
}

/** The samples of a text of metrics, by name and labels; fails where it is not one. */
function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const types = new Set<string>();
  for (const line of text.trimEnd().split('\n')) {
    const [, typed] = /^# TYPE (\S+) (?:counter|gauge)$/.exec(line) ?? [];
    if (typed !== undefined) types.add(typed);
    if (line.startsWith('#')) continue;
    const [, name = '', labels = '', value = ''] = /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\]|\\.)*",?)*\})? ([0-9.e+-]+)$/.exec(line) ?? [];
    expect(types, line).toContain(name);
    samples.set(name + labels, Number(value));
  }
  return samples;
}

test('/metrics tells what the hub has done and holds', async () => {
  const { url } = await startedHub();
  const hub = await connected(url);
  const log = hub.log('log');
  await log.append([entry('abc'), entry('de')]);
  await log.read(0, 10);
  await log.putSnapshot({ position: 1, bytes: Buffer.from('s') });
  await hub.log('other').head();
  log.subscribe(() => undefined);
  const error = await hub.log('log').read(0, 0).then(() => null);
  expect(error).toBeNull();
  await vi.waitFor(async () => expect(samplesOf((await getPlain(`${url}/metrics`)).text).get('holdfast_hub_waiting_requests')).toBe(1), 30_000);
  await get(`${url}/holdfast-hub/hello`);
  const { status, text } = await getPlain(`${url}/metrics`);
  expect(status).toBe(200);
  const samples = samplesOf(text);
  expect(Object.fromEntries([...samples].filter(([name]) => /(up|logs|entries_total|appended_bytes_total|snapshots_put_total|_requests_total\{token="only"\})$/.test(name)))).toMatchObject({
    holdfast_hub_up: 1,
    holdfast_hub_logs: 2,
    holdfast_hub_loaded_logs: 2,
    holdfast_hub_appended_entries_total: 2,
    holdfast_hub_appended_bytes_total: 5,
    holdfast_hub_read_entries_total: 2,
    holdfast_hub_snapshots_put_total: 1,
  });
  expect(samples.get('holdfast_hub_requests_total{operation="append",outcome="ok"}')).toBe(1);
  expect(samples.get('holdfast_hub_token_requests_total{token="only"}')).toBeGreaterThan(4);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
  expect(text).not.toContain(TOKEN);
  for (const [, value] of samples) expect(value).not.toBeNaN();
});

test('/health tells whether the hub takes requests', async () => {
  const { url } = await startedHub();
  expect(await getPlain(`${url}/health`)).toEqual({ status: 200, text: '{"status":"ok"}\n' });
  expect((await fetch(`${url}/health`, { method: 'HEAD' })).status).toBe(200);
  expect((await getPlain(`${url}/other`)).status).toBe(404);
});

test('who is elsewhere, or comes by a proxy, needs a token of the role metrics or admin', async () => {
  const file = path.join(path.dirname(temporaryRoot()), 'tokens');
  fs.writeFileSync(file, 'write eu w-token\nmetrics prometheus m-token\nadmin ops a-token\n', { mode: 0o600 });
  const { url } = await startedHub({ token: undefined, tokenFile: file } as never);
  const through = { 'x-forwarded-for': '203.0.113.9' };
  for (const place of ['/health', '/metrics']) {
    const statusOf = async (headers: Record<string, string>) => (await getPlain(`${url}${place}`, headers)).status;
    expect(await statusOf({})).toBe(200);
    expect(await statusOf(through)).toBe(401);
    expect(await statusOf({ forwarded: 'for=203.0.113.9' })).toBe(401);
    expect(await statusOf({ authorization: 'Bearer wrong' })).toBe(401);
    expect(await statusOf({ ...through, authorization: 'Bearer w-token' })).toBe(401);
    expect(await statusOf({ ...through, authorization: 'Bearer m-token' })).toBe(200);
    expect(await statusOf({ ...through, authorization: 'Bearer a-token' })).toBe(200);
  }
});
