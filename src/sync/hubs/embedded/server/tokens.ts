import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { requireToken } from '../server-options.ts';

/** What a token lets its holder do: each of the first three also what those before it do; `metrics` nothing else. */
export const ROLES = ['read', 'write', 'admin', 'metrics'] as const;

export type Role = (typeof ROLES)[number];

/** One token that a hub takes. Never the token itself: only its digest is kept. */
export interface Token {
  /** Who has it, such as a region: for people, and in the metrics. */
  readonly name: string;
  readonly role: Role;
  /** SHA-256. */
  readonly digest: Buffer;
  /** The origins whose logs it is for; null: all logs. */
  readonly origins: readonly string[] | null;
}

/** More lines than this are a mistake; each costs a comparison at every request. */
const MOST_TOKENS = 10_000;

const HASHED = /^sha256:([0-9a-f]{64})$/i;

const FOR = 'for=';

export function tokenDigest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** A token that may do everything, as the only one of a hub. */
export function onlyToken(token: string): Token {
  return { name: 'only', role: 'admin', digest: tokenDigest(token), origins: null };
}

/**
 * What a token file holds. Either nothing but a token, which may then do everything; or a line for each token:
 *
 *   <role> <name> <token, or sha256: and the SHA-256 of it in hexadecimal> [for=<origin> ...]
 *
 * with fields between spaces or tabs, empty lines, and comments after `#` at the beginning of a line.
 *
 * @throws HoldfastError `bad-option`, which tells the line and no token
 */
export function parseTokens(text: string, file: string): readonly Token[] {
  const all = text.split(/\r?\n/).map((line, index) => ({ number: index + 1, fields: line.split(/[ \t]+/).filter((field) => field !== '') }));
  const filled = all.filter(({ fields }) => fields.length > 0);
  const [first] = filled;
  if (first === undefined) throw bad(file, 'is empty');
  if (filled.length === 1 && first.fields.length === 1) return [onlyToken(checked(first.fields[0], `${file}`))];
  const lines = filled.filter(({ fields }) => !fields[0]?.startsWith('#'));
  if (lines.length === 0) throw bad(file, 'holds comments only');
  if (lines.length > MOST_TOKENS) throw bad(file, `has ${lines.length} tokens; ${MOST_TOKENS} are the most`);
  const tokens = lines.map(({ fields, number }) => parseLine(fields, `line ${number} of ${file}`));
  requireDistinct(tokens, lines, file);
  return tokens;
}

function parseLine([role, name, token, ...rest]: readonly string[], where: string): Token {
  if (!isRole(role)) throw badLine(where, `has to begin with a role: ${ROLES.join(', ')}`);
  if (name === undefined || token === undefined) throw badLine(where, 'has to hold a role, a name, and a token');
  if (rest.some((field) => !field.startsWith(FOR) || field === FOR)) throw badLine(where, `may go on after the token with '${FOR}<origin>' only`);
  if (rest.length > 0 && role !== 'read' && role !== 'write') throw badLine(where, `may not name origins, for the role '${role}' is for the whole hub`);
  const [, hashed] = HASHED.exec(token) ?? [];
  const digest = hashed === undefined ? tokenDigest(checked(token, where)) : Buffer.from(hashed, 'hex');
  return { name, role, digest, origins: rest.length === 0 ? null : rest.map((field) => field.slice(FOR.length)) };
}

function isRole(role: string | undefined): role is Role {
  return ROLES.some((known) => known === role);
}

/** Two tokens of one name are one that is being replaced; one token under two names is a mistake. */
function requireDistinct(tokens: readonly Token[], lines: readonly { readonly number: number }[], file: string): void {
  const seen = new Map<string, number>();
  for (const [index, { digest }] of tokens.entries()) {
    const { number = 0 } = lines[index] ?? {};
    const before = seen.get(digest.toString('hex'));
    if (before !== undefined) throw badLine(`line ${number} of ${file}`, `repeats the token of line ${before}`);
    seen.set(digest.toString('hex'), number);
  }
}

function checked(token: string | undefined, where: string): string {
  try {
    requireToken(token);
    return token;
  } catch {
    throw badLine(where, 'may hold printable ASCII characters only');
  }
}

function bad(file: string, why: string): HoldfastError {
  return new HoldfastError('bad-option', `The token file ${file} ${why}.`);
}

function badLine(where: string, why: string): HoldfastError {
  return new HoldfastError('bad-option', `A token cannot be read: ${where} ${why}.`);
}

/** Whether a token is for a log: that of one of its origins, or of something beside it, such as its files. */
export function mayUse({ origins }: Token, log: string): boolean {
  return origins === null || origins.some((origin) => log === origin || log.startsWith(`${origin} `));
}
