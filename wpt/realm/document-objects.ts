const names = ['DOMMatrix', 'DOMMatrixReadOnly', 'DOMPoint', 'DOMPointReadOnly', 'DOMRect', 'DOMRectReadOnly'];

/**
 * Interfaces of documents that a test makes objects of before its first subtest. They can do nothing, so what is asked of
 * their objects fails; without them the subtests about everything else would not run.
 */
export function documentObjects(): Record<string, unknown> {
  return { ...Object.fromEntries(names.map((name) => [name, inert(name)])), ImageData: inert('ImageData', { data: [] }) };
}

function inert(name: string, properties: object = {}): unknown {
  const made = class {
    constructor() {
      Object.assign(this, properties);
    }
  };
  return Object.defineProperty(made, 'name', { value: name });
}
