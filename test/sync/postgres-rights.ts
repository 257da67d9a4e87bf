import fs from 'node:fs';

const documentation = new URL('../../docs/POSTGRES.md', import.meta.url);

/** The statements of docs/POSTGRES.md that give a role the rights to use the schema. */
export function rightsOf(schema: string, role: string): string {
  const text = fs.readFileSync(documentation, 'utf8');
  const statements = [...text.matchAll(/^(?:GRANT|ALTER DEFAULT) .*;$/gm)].map(([statement]) => statement);
  if (statements.length === 0) throw new Error('docs/POSTGRES.md has no statement that gives rights');
  return statements.join('\n').replaceAll('app_role', role).replaceAll('SCHEMA holdfast', `SCHEMA ${schema}`);
}
