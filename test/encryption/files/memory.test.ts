import { describe, expect, test } from 'vitest';
import { giveBack } from '../../../src/runtime/give-back.ts';

describe('memory that is given back', () => {
  test('is free when it is a whole one', () => {
    const bytes = new Uint8Array(65_504).fill(1);
    giveBack(bytes);
    expect(bytes.buffer.byteLength).toBe(0);
  });

  test('stays what it is when others may have a part of it', () => {
    const memory = new Uint8Array(8_192).fill(1);
    giveBack(memory.subarray(0, 4_096));
    giveBack(memory.subarray(4_096));
    expect(memory.every((byte) => byte === 1)).toBe(true);
    expect(memory.byteLength).toBe(8_192);
  });
});
