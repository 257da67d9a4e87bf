import fs from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../project.ts';
import type { Test } from '../runner/discover.ts';

/** What Chromium 156 gave for one file and variant. */
export interface ChromiumFigure {
  readonly file: string;
  /** With the query of the test's variant where it was measured by these. */
  readonly variant: string;
  /** `server`: a server can run these subtests; `browser`: they were written for documents, frames, popups or pickers. */
  readonly group: 'server' | 'browser';
  readonly passed: number;
  /** With the browser's experimental features on. */
  readonly experimental: number;
  readonly total: number;
}

/** wpt/chromium.csv: measured with these very tests. The variant of a worker in an .any.js file is `any.worker`. */
export function readChromiumFigures(): readonly ChromiumFigure[] {
  const [, ...lines] = fs.readFileSync(path.join(projectRoot, 'wpt', 'chromium.csv'), 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [file = '', variant = '', group = '', , passed, experimental, total] = line.split(',');
    return {
      file,
      variant,
      group: group as ChromiumFigure['group'],
      passed: Number(passed),
      experimental: Number(experimental),
      total: Number(total),
    };
  });
}

/** The figure that a test is to be compared with: that of the subtests in a server's reach, where there are such. */
export function figureFor(figures: readonly ChromiumFigure[], { file, variant, query }: Pick<Test, 'file' | 'variant' | 'query'>): ChromiumFigure | undefined {
  const ofFile = figures.filter((figure) => figure.file === file);
  const exact = ofFile.filter((figure) => figure.variant === variant + query);
  const own = exact.length > 0 ? exact : ofFile.filter((figure) => figure.variant === variant);
  return own.find(({ group }) => group === 'server') ?? own[0];
}
