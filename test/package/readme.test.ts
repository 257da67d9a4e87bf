import { expect, test } from 'vitest';

interface Bench {
  readmes(): Promise<{ present: string; wanted: string }>;
  section(stored: object): string;
  withSection(readme: string, text: string): string;
}

const bench = (await import(new URL('../../bench/readme.mjs', import.meta.url).href)) as Bench;

test('every number that the README gives for speed is from bench/results.json', async () => {
  const { present, wanted } = await bench.readmes();
  expect(present).toBe(wanted);
});

test('the section shows the works of the chart, and says which goals were missed', () => {
  const works = [{ id: 'getItem', label: 'getItem, hit', chart: 'localStorage.getItem' }, { id: 'key', label: 'key(i)' }];
  const results = { getItem: { limit: 1, holdfast: 2, node: 6, memfs: null }, key: { limit: 1, holdfast: 2 } };
  const environment = { 'web-storage': { date: '2026-01-01', cpu: 'a cpu', cores: 2, system: 'Linux 6' } };
  const text = bench.section({ environment, areas: { 'web-storage': { area: 'web-storage', works, results } } });
  expect(text).toContain('| localStorage.getItem | 2.00 µs | 2.00× | Node 26 3.00× |');
  expect(text).not.toContain('key(i)');
  expect(text).toContain('getItem, hit: ≥ 4× node (reached: 3.00), ≤ 1.3× limit (reached: 2.00).');
  expect(text).toContain('0 of 2 goals met');
  expect(bench.section({ environment: {}, areas: {} })).toBe('');
});

test('the section replaces the one before, and nothing else', () => {
  const readme = 'a\n<!-- measured: npm run bench:readme -->\nold\n<!-- /measured -->\nb\n';
  expect(bench.withSection(readme, 'new')).toBe(readme.replace('old', 'new'));
  expect(() => bench.withSection('no place', 'new')).toThrow('README.md lacks');
});
