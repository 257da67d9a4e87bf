import type { OperationName, RequestOf } from '../operations.ts';
import { mayUse, type Role, type Token } from './tokens.ts';

/** Those that change nothing; for all others a token that writes is needed. */
const READING: ReadonlySet<OperationName> = new Set(['hello', 'head', 'read', 'wait', 'snapshot', 'get-blob', 'has-blobs']);

const WRITERS: ReadonlySet<Role> = new Set(['write', 'admin']);

export function mayWrite({ role }: Token): boolean {
  return WRITERS.has(role);
}

/** Whether a token is for an operation, whatever the log. */
export function mayPerform(token: Token, operation: OperationName): boolean {
  return mayWrite(token) || (token.role === 'read' && READING.has(operation));
}

/** The first log that a request asks about and that its token is not for; null when there is none. */
export function forbiddenLog(token: Token, request: RequestOf<OperationName>): string | null {
  return logsOf(request).find((log) => !mayUse(token, log)) ?? null;
}

function logsOf(request: RequestOf<OperationName>): readonly string[] {
  if (request === null) return [];
  if ('watched' in request) return request.watched.map(({ log }) => log);
  return 'appends' in request ? request.appends.map(({ log }) => log) : [request.log];
}

/** Who may see how the hub is. */
export function mayInspect({ role }: Token): boolean {
  return role === 'metrics' || role === 'admin';
}
