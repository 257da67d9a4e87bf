// Backup, archives and verification of a root of 1 GiB; OPERATIONS_MIB gives another size.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { alone, median } from '../alone.mjs';

const size = Number(process.env.OPERATIONS_MIB ?? 1024);
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

const works = [
  { id: 'backup', label: `backup of ${size} MiB in which 1 % changed`, unit: 'ms' },
  { id: 'read', label: '… bytes that it reads, of what changed', unit: '×' },
  { id: 'export', label: 'export', unit: 'MB/s' },
  { id: 'import', label: 'import', unit: 'MB/s' },
  { id: 'verify', label: 'verify of journals of 64 MiB, items of 1 kB', unit: 'MB/s' },
  { id: 'verify-small', label: '… items of 8 bytes', unit: 'MB/s' },
];

const order = ['holdfast', 'cp -a', 'restic', 'borg'];

/** Null: it is not installed. */
function versionOf(program) {
  try {
    return execFileSync(program, [program === 'restic' ? 'version' : '--version'], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

const quiet = (program, args, env = {}) => void execFileSync(program, args, { stdio: 'ignore', env: { ...process.env, ...env } });

/** What a copier needs: made once with `first`, then measured with `next`. */
const copiers = {
  'cp -a': {
    first: () => undefined,
    next: ({ root, to }) => {
      rmSync(to, { recursive: true, force: true });
      quiet('cp', ['-a', root, to]);
    },
  },
  restic: {
    first: ({ root, to }) => {
      quiet('restic', ['-r', to, 'init'], { RESTIC_PASSWORD: 'p' });
      quiet('restic', ['-r', to, 'backup', root], { RESTIC_PASSWORD: 'p' });
    },
    next: ({ root, to }) => quiet('restic', ['-r', to, 'backup', root], { RESTIC_PASSWORD: 'p' }),
  },
  borg: {
    first: ({ root, to }) => {
      quiet('borg', ['init', '-e', 'none', to]);
      quiet('borg', ['create', `${to}::first`, root]);
    },
    next: ({ root, to, round }) => quiet('borg', ['create', `${to}::${round}`, root]),
  },
};

function timed(body) {
  const start = performance.now();
  body();
  return performance.now() - start;
}

export async function measure({ root: home, rounds, say }) {
  const directory = join(home, 'operations');
  const program = (step, ...args) => alone('operations', step, directory, String(size), ...args);
  say(`operations: a root of ${size} MiB`);
  program('fill');
  const absent = {};
  const present = Object.entries(copiers).filter(([name]) => name === 'cp -a' || versionOf(name) !== null);
  for (const name of ['restic', 'borg']) if (!present.some(([each]) => each === name)) absent[name] = 'not installed';
  program('backup');
  const places = new Map(present.map(([name]) => [name, { root: join(directory, 'root'), to: join(directory, `by ${name.replaceAll(' ', '')}`) }]));
  for (const [name, { first }] of present) first(places.get(name));
  const samples = { backup: new Map(order.map((name) => [name, []])), read: [], export: [], import: [] };
  for (let round = 0; round < Math.min(rounds, 3); round += 1) {
    say(`operations: round ${round + 1}`);
    program('change');
    const { milliseconds, changed, all } = program('backup');
    samples.backup.get('holdfast').push(milliseconds);
    samples.read.push(all / changed);
    for (const [name, { next }] of present) samples.backup.get(name).push(timed(() => next({ ...places.get(name), round })));
    samples.export.push(program('export').milliseconds);
    const bytes = statSync(join(directory, 'archive.tar')).size;
    samples.export.push(bytes / 1e3 / samples.export.pop());
    samples.import.push(bytes / 1e3 / program('import').milliseconds);
    for (const name of readdirSync(directory).filter((each) => each.startsWith('imported'))) rmSync(join(directory, name), { recursive: true });
  }
  const results = {
    backup: Object.fromEntries([...samples.backup].filter(([, values]) => values.length > 0).map(([name, values]) => [name, median(values)])),
    read: { holdfast: median(samples.read) },
    export: { holdfast: median(samples.export) },
    import: { holdfast: median(samples.import) },
    verify: { holdfast: median(verifySpeeds(home, Math.min(rounds, 3), 1_000)) },
    'verify-small': { holdfast: median(verifySpeeds(home, Math.min(rounds, 3), 8)) },
  };
  rmSync(directory, { recursive: true, force: true });
  return { area: 'operations', works, order, results, absent };
}

/** The time of a root without journals is taken off: it is what starting the command takes. */
function verifySpeeds(home, rounds, item) {
  const [full, empty] = ['full', 'empty'].map((name) => join(home, `verify-${name}-${item}`));
  mkdirSync(full);
  mkdirSync(empty);
  alone('operations', 'journals', full, '64', String(item));
  alone('operations', 'journals', empty, '0', String(item));
  const files = readdirSync(join(full, 'root'), { recursive: true }).map((name) => statSync(join(full, 'root', name)));
  const bytes = files.filter((stats) => stats.isFile()).reduce((sum, stats) => sum + stats.size, 0);
  return Array.from({ length: rounds }, () => {
    const [start, whole] = [empty, full].map((directory) => alone('operations', 'verify', directory, '0', cli).milliseconds);
    return bytes / 1e3 / (whole - start);
  });
}
