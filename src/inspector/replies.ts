import type { Failure } from './messages.ts';

/** What no answer does without: it is nothing but what its type says, and for this page's own eyes. */
const ALWAYS = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/** Of the page: what it loads comes from here, and nothing is written into it as markup or script. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Of everything else: it does nothing, even where somebody opens it as a page. */
const DATA_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

type Body = ConstructorParameters<typeof Response>[0];

interface ReplyInit {
  readonly status?: number;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function data(body: Body, { status = 200, type, headers = {} }: ReplyInit): Response {
  return new Response(body, { status, headers: { ...ALWAYS, 'content-security-policy': DATA_POLICY, 'content-type': type, ...headers } });
}

export function json(value: unknown, status = 200): Response {
  return data(JSON.stringify(value), { status, type: 'application/json; charset=utf-8' });
}

export function failure({ status, body }: { readonly status: number; readonly body: Failure }): Response {
  return json(body, status);
}

export function plain(status: number, text: string): Response {
  return data(`${text}\n`, { status, type: 'text/plain; charset=utf-8' });
}

export function document(html: string): Response {
  return data(html, { type: 'text/html; charset=utf-8', headers: { 'content-security-policy': PAGE_POLICY } });
}

export function redirect(status: 303 | 308, to: string, headers: Readonly<Record<string, string>> = {}): Response {
  return data(null, { status, type: 'text/plain; charset=utf-8', headers: { location: to, ...headers } });
}

/** A file to be saved, under its own name. https://www.rfc-editor.org/rfc/rfc6266 */
export function attachment(name: string): string {
  const plainName = name.replace(/[^\w .,()+=-]/g, '_').slice(0, 200);
  const encoded = encodeURIComponent(name.replace(/\p{Cs}/gu, '\ufffd')).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plainName}"; filename*=UTF-8''${encoded}`;
}
