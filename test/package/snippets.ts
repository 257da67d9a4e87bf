import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './packed.ts';

const blocks = /^```(?:js|mjs|ts|mts)\n([^]*?)^```$/gm;

/** All JavaScript and TypeScript of README.md and the guides, each piece a module named by where it stands. */
export function snippets(): Record<string, string> {
  const guides = readdirSync(join(repository, 'docs')).filter((name) => name.endsWith('.md'));
  return Object.fromEntries(['README.md', ...guides.map((name) => `docs/${name}`)].flatMap(snippetsOf));
}

function snippetsOf(guide: string): [name: string, module: string][] {
  const text = readFileSync(join(repository, guide), 'utf8');
  return [...text.matchAll(blocks)].map(({ index, 1: code = '' }) => {
    const line = text.slice(0, index).split('\n').length;
    return [`${guide.replace('/', '-')}-line-${line}.mts`, `${code}export {};\n`];
  });
}
