// Bundles the inspector's page: one script and one style sheet, of which the server sends the text.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = 'src/inspector/page';

/** The notice that the licence of what is bundled asks for. */
function notice() {
  const folder = join(root, 'node_modules/preact');
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const licence = readFileSync(join(folder, 'LICENSE'), 'utf8').trim();
  return `/*! preact ${version}\n${licence}\n*/`;
}

export async function pageText() {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: { page: join(page, 'main.tsx'), style: join(page, 'page.css') },
    outdir: 'page',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome111', 'firefox115', 'safari16.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    charset: 'utf8',
    write: false,
  });
  const textOf = (name) => outputFiles.find(({ path }) => path.endsWith(name)).text;
  return { html: readFileSync(join(root, page, 'page.html'), 'utf8'), icon: readFileSync(join(root, page, 'icon.svg'), 'utf8'), script: `${notice()}\n${textOf('page.js')}`, style: textOf('style.css') };
}

/** For esbuild: what `src/inspector/page-text.ts` is in the package. */
export const pageInPackage = {
  name: 'page-in-package',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]inspector[\\/]page-text\.ts$/, namespace: 'file' }, async ({ path }) => ({
      contents: `const text = ${JSON.stringify(await pageText())};\nexport async function pageText() { return text; }\n`,
      loader: 'js',
      resolveDir: dirname(path),
    }));
  },
};
