import { expect, test } from 'vitest';
import { encryptionKills } from '../stress/encryption-kills.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 4);

test('killed while an origin is encrypted, its keys change and two processes write, it has what was told, whole, and nothing plain in the end', async () => {
  const { kills, versions } = await encryptionKills({ kills: KILLS, seed: 1 });
  expect(kills).toBeGreaterThanOrEqual(KILLS);
  expect(versions).toBeGreaterThan(KILLS);
}, 600_000);
