import type { Suite } from '../runner/discover.ts';
import type { Entry, Exception, HarnessException, SuiteRecord } from './record.ts';

/** A record as the source text of its file. */
export function formatRecord(suite: Suite, record: SuiteRecord): string {
  const entries = Object.entries(record).map(([file, entry]) => `  ${quote(file)}: ${formatEntry(entry)},\n`);
  return [
    "import type { SuiteRecord } from '../record/record.ts';\n",
    `// Written by npm run wpt:update, except for the reasons and notes, which are kept.`,
    `export const record: SuiteRecord = {\n${entries.join('')}};\n`,
  ].join('\n').replace('\n// Written', `\n// The suite ${suite}. Written`);
}

function formatEntry(entry: Entry): string {
  if (!entry.run) return `{ run: false, reason: ${quote(entry.reason)}${entry.note === undefined ? '' : `, note: ${quote(entry.note)}`} }`;
  if (entry.harness === undefined && entry.except === undefined) return '{ run: true }';
  const harness = entry.harness === undefined ? '' : `    harness: ${formatHarness(entry.harness)},\n`;
  const except = entry.except === undefined ? '' : `    except: [\n${entry.except.map(formatException).join('')}    ],\n`;
  return `{\n    run: true,\n${harness}${except}  }`;
}

function formatHarness({ status, reason, note, beforeNode, variants }: HarnessException): string {
  const before = beforeNode === undefined ? '' : `, beforeNode: ${beforeNode}`;
  return `{ status: ${quote(status)}, reason: ${quote(reason)}, note: ${quote(note)}${before}${formatVariants(variants)} }`;
}

function formatException({ reason, note, sinceNode, beforeNode, variants, subtests }: Exception): string {
  const names = subtests.map((name) => `          ${quote(name)},\n`).join('');
  return `      {\n        reason: ${quote(reason)},\n        note: ${quote(note)},\n${sinceNode === undefined ? '' : `        sinceNode: ${sinceNode},\n`}${beforeNode === undefined ? '' : `        beforeNode: ${beforeNode},\n`}${
    variants === undefined ? '' : `        variants: [${variants.map(quote).join(', ')}],\n`
  }        subtests: [\n${names}        ],\n      },\n`;
}

function formatVariants(variants: readonly string[] | undefined): string {
  return variants === undefined ? '' : `, variants: [${variants.map(quote).join(', ')}]`;
}

/** A string literal in the style of the code base. */
function quote(text: string): string {
  const json = JSON.stringify(text);
  if (text.includes("'") ) return json;
  return `'${json.slice(1, -1).replaceAll('\\"', '"')}'`;
}
