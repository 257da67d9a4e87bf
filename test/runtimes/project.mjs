// A project as a user has it: the packed files of Holdfast in its node_modules, and these tests as its own code.
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { npm } from './runtimes.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));

/** The folder of a new project; outside of this one, lest it find what is installed here. */
export function makeProject() {
  const project = mkdtempSync(join(tmpdir(), 'holdfast-project-'));
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies: { holdfast: '*' } }));
  installHoldfast(project);
  // The optional peer, for a runtime that has no SQLite of its own.
  cpSync(join(repository, 'node_modules/@sqlite.org'), join(project, 'node_modules/@sqlite.org'), { recursive: true });
  for (const folder of ['areas', 'kit', 'programs']) cpSync(join(here, folder), join(project, folder), { recursive: true });
  return project;
}

/** Puts the packed files of Holdfast among the modules of a project. */
export function installHoldfast(project) {
  const installed = join(project, 'node_modules/holdfast');
  for (const file of packedFiles()) {
    mkdirSync(dirname(join(installed, file)), { recursive: true });
    copyFileSync(join(repository, file), join(installed, file));
  }
}

function packedFiles() {
  const { status, stdout, stderr } = npm(['pack', '--dry-run', '--json', '--ignore-scripts'], repository);
  if (status !== 0) throw new Error(`npm pack failed:\n${stderr}`);
  return JSON.parse(stdout)[0].files.map((file) => file.path);
}
