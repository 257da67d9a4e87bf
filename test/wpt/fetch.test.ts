import { describe, expect, it } from 'vitest';
import { asSourcePackages } from '../../wpt/fetch/debian.ts';

describe('sources of packages', () => {
  it('become sources of source packages, one line each', () => {
    const text = '# a comment\ndeb [signed-by=/a.gpg] mirror://a stable main\ndeb-src mirror://a stable main\n';
    expect(asSourcePackages('a.list', text)).toBe('# a comment\ndeb-src [signed-by=/a.gpg] mirror://a stable main\n\n');
  });

  it('become sources of source packages, as paragraphs', () => {
    const text = 'Types: deb\nURIs: mirror://a\nSuites: stable\n\nTypes: deb deb-src\nURIs: mirror://b\n';
    expect(asSourcePackages('a.sources', text)).toBe('Types: deb-src\nURIs: mirror://a\nSuites: stable\n\nTypes: deb-src\nURIs: mirror://b\n');
  });
});
