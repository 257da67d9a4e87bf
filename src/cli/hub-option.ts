import fs from 'node:fs';
import { errorMessage } from '../runtime/errors.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import type { Hub } from '../sync/hub.ts';
import { UsageError } from './command.ts';

/** Options of commands that ask a hub. */
export const hubOptions = {
  hub: { value: 'URL', help: 'the hub: http(s)://…, postgres://… or nats://…; PG* and NATS_* variables may have the rest' },
  'hub-token-file': { value: 'FILE', help: 'the token of an http(s) hub; default: HOLDFAST_HUB_TOKEN in the environment' },
} as const;

export interface HubValues {
  readonly hub?: string;
  readonly 'hub-token-file'?: string;
}

/** The hub that is meant, for the caller to close; null: none. @throws UsageError; HoldfastError bad-option */
export async function hubIn({ hub, 'hub-token-file': file }: HubValues): Promise<Hub | null> {
  if (hub === undefined && file !== undefined) throw new UsageError("'--hub-token-file' needs '--hub'");
  if (hub === undefined) return null;
  const { embeddedHub, natsHub, postgresHub } = await import('../sync/index.ts');
  if (/^https?:/.test(hub)) return embeddedHub({ url: hub, ...(file !== undefined && { token: tokenIn(file) }) });
  if (file !== undefined) throw new UsageError("'--hub-token-file' is for a hub at http:// or https://");
  if (/^postgres(ql)?:/.test(hub)) return postgresHub({ connectionString: hub });
  if (/^(nats|tls):/.test(hub)) return natsHub({ servers: hub });
  throw new UsageError("'--hub' takes a url that begins with http:, https:, postgres: or nats:");
}

function tokenIn(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new HoldfastError('bad-option', `The token file ${file} cannot be read: ${errorMessage(cause)}.`, { cause });
  }
}
