import type { QueryConfig } from 'pg';

/* The statements that the hub runs all the time: prepared once for each connection. */

export type Statement = (values: unknown[]) => QueryConfig;

export interface Statements {
  readonly head: Statement;
  readonly make: Statement;
  readonly append: Statement;
  readonly read: Statement;
  readonly snapshot: Statement;
  readonly putSnapshot: Statement;
  readonly trim: Statement;
  readonly sweep: Statement;
  readonly putBlob: Statement;
  readonly getBlob: Statement;
  readonly hasBlobs: Statement;
  readonly unusedBlobs: Statement;
  readonly removeBlobs: Statement;
  readonly heads: Statement;
}

/** Bytes that one read gives at most, unless a single entry has more. */
const READ_BYTES = 4 * 2 ** 20;

/** The object identifier of a type, from PostgreSQL's catalogue `pg_type`. */
const INT8 = 20;

/** Of our own: a program may have changed how its `pg` reads values, which gives 64-bit integers as text. */
const types = {
  getTypeParser: (type: number): ((text: string) => unknown) => (type === INT8 ? Number : (text) => text),
};

/** Bytes as a result gives them: `pg` reads all results as text, and so in hexadecimal digits they would be half as long again. */
function bytesAsText(column: string): string {
  return `encode(${column}, 'base64') as bytes`;
}

export function statementsFor(schema: string): Statements {
  const s = `"${schema}"`;
  const prepared = (name: string, text: string): Statement => {
    const fixed = { name: `${schema}_${name}`, text, types };
    return (values) => ({ ...fixed, values }) as QueryConfig;
  };
  return {
    head: prepared('head', `select epoch::text as epoch, head, trimmed from ${s}.logs where key = $1`),
    make: prepared('make', `select ${s}.make($1, $2)`),
    append: prepared('append', `select array_to_string(${s}.append_all($1, $2, $3, $4, $5, $6, $7, $8), ' ') as heads`),
    // One statement sees one state: without the log's row a trim could come between.
    read: prepared(
      'read',
      `select l.head, l.trimmed, e.position, ${bytesAsText('e.bytes')}
       from ${s}.logs l left join lateral (
         select position, bytes from (
           select position, bytes, sum(octet_length(bytes)) over (order by position) - octet_length(bytes) as before
           from (select position, bytes from ${s}.entries where log = l.log and position > greatest($2::bigint, l.trimmed) order by position limit $3) next
         ) counted where before < ${READ_BYTES}
       ) e on true
       where l.key = $1 order by e.position`,
    ),
    snapshot: prepared('snapshot', `select s.position, ${bytesAsText('s.bytes')} from ${s}.snapshots s join ${s}.logs l using (log) where l.key = $1 and s.position <= l.head`),
    putSnapshot: prepared('put_snapshot', `select ${s}.put_snapshot($1, $2, $3, $4)`),
    trim: prepared('trim', `select ${s}.trim($1, $2)`),
    sweep: prepared('sweep', `select ${s}.sweep($1) as removed`),
    putBlob: prepared('put_blob', `select ${s}.put_blob($1, $2, $3, $4)`),
    getBlob: prepared('get_blob', `select ${bytesAsText('bytes')} from ${s}.blobs where log = (select log from ${s}.logs where key = $1) and name = $2`),
    hasBlobs: prepared('has_blobs', `select name from ${s}.has_blobs($1, $2) as name`),
    unusedBlobs: prepared(
      'unused_blobs',
      `select name from ${s}.blobs where log = (select log from ${s}.logs where key = $1) and name > $2
       and touched <= now() - $3::bigint * interval '1 millisecond' order by name limit $4`,
    ),
    removeBlobs: prepared('remove_blobs', `select ${s}.remove_blobs($1, $2, $3, $4, $5, $6) as removed`),
    heads: prepared('heads', `select encode(key, 'hex') as key, head from ${s}.logs where key = any($1)`),
  };
}
