import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeOrigin, encodeOrigin } from '../../src/disk/names/origin.ts';

describe('origins', () => {
  it.each([
    ['https://app.example', 'https_app.example'],
    ['http://localhost:3000', 'http_localhost_3000'],
    ['http://[::1]:80', 'http_[%3a%3a1]_80'],
    ['https://my_app.example', 'https_my=uapp.example'],
    ['app+x://Host', 'app+x_%48ost'],
  ])('%s is %s', (origin, component) => {
    expect(encodeOrigin(origin)).toBe(component);
    expect(decodeOrigin(component)).toBe(origin);
  });

  const piece = fc.oneof(fc.constantFrom('http', 'https', '://', ':', '_', '=', '=u', '80', '8080', 'a', 'A', '.', '..', '/', '%5f', ''), fc.string({ maxLength: 4 }));
  const origin = fc.array(piece, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')).filter((text) => text !== '');

  it('come back exactly, whatever the text', () => {
    fc.assert(fc.property(origin, (text) => decodeOrigin(encodeOrigin(text)) === text), { numRuns: 5000 });
  });

  it('never meet, also where case is folded', () => {
    fc.assert(
      fc.property(origin, origin, (a, b) => a === b || encodeOrigin(a).toLowerCase() !== encodeOrigin(b).toLowerCase()),
      { numRuns: 5000 },
    );
  });

  it('too long to be read back still have a component of their own', () => {
    const [a, b] = ['a', 'b'].map((last) => encodeOrigin(`https://${'x'.repeat(300)}${last}`));
    expect(a).not.toBe(b);
    expect(Buffer.byteLength(a ?? '')).toBeLessThanOrEqual(255);
    expect(decodeOrigin(a ?? '')).toBeNull();
  });

  it('a directory that no origin has is nobody’s', () => {
    expect(decodeOrigin('.new-abc')).toBeNull();
    expect(decodeOrigin('https_A.example')).toBeNull();
    expect(decodeOrigin('https_a_b_c_d')).toBeNull();
  });
});
