/*
 * The schema, by versions. Invariants
 * - Positions of a log count from 1 without gaps: whoever appends holds the log's row in `logs` until the commit, and a
 *   sequence, which would leave gaps and commit out of order, is not used.
 * - Entries are never changed; they are removed only up to `trimmed`, which never goes back, nor beyond the snapshot.
 * - Every change goes through a function that runs with its owner's rights, so that a role that may only execute them
 *   cannot rewrite history. They take nothing from the caller's search path.
 * - An entry whose append named a blob is there only while the blob is: whoever appends, and whoever removes blobs, holds
 *   the log's row; and a blob is removed only by whoever knows the last entry that has named it.
 * - Whatever comes from a client is limited here, for a client may be any program that has the password.
 * - Each statement of a function has to see what was committed while it waited for the row, as it does at the isolation
 *   level READ COMMITTED; connect() refuses another default.
 */

/** The version that this code makes and works with. */
export const SCHEMA_VERSION = 3;

/** What its functions raise, beside PostgreSQL's own errors. */
export const RAISED = { blobMissing: 'HF001', damaged: 'HF002', tooLarge: 'HF003', malformed: 'HF004', full: 'HF005' } as const;

/** Bytes of one entry, of one blob, and of one snapshot, which as text must fit into one string. */
export const MAX_ENTRY_BYTES = 16 * 2 ** 20;
export const MAX_BLOB_BYTES = 64 * 2 ** 20;
export const MAX_SNAPSHOT_BYTES = 256 * 2 ** 20;

/** What a blob counts at least, and what a role may have put that no append names, where nobody has set another bound. */
const LEAST_BLOB_BYTES = 2 ** 16;
const UNNAMED_BYTES = 2 ** 34;

/** Entries of one append to one log, and names in one question; the client keeps below. */
export const MAX_ENTRIES = 2 ** 16;
export const MAX_NAMES = 2 ** 18;

/** Characters of a log's name as people read it: each code unit may be six. */
const MAX_LABEL = 4096;

/** Where notifications go. Their payload is the log's key in hexadecimal. */
export function channelOf(schema: string): string {
  return `${schema}_news`;
}

/**
 * What keeps the promise of the functions where an administrator has switched it off: with `synchronous_commit = off`
 * even the server's death would lose what was acknowledged. It lasts until the transaction ends.
 */
const DURABLY = `if current_setting('synchronous_commit') = 'off' then perform set_config('synchronous_commit', 'on', true); end if;`;

/** The statements that lead from the version before to each version, the first of them to version 1. */
export function migrations(schema: string): readonly string[] {
  return [versionOne(`"${schema}"`, channelOf(schema)), versionTwo(`"${schema}"`, channelOf(schema)), versionThree(`"${schema}"`)];
}

/** Functions that run with their owner's rights take nothing from the caller's search path. */
const DEFINER = `security definer set search_path = pg_catalog, pg_temp`;

function versionOne(s: string, channel: string): string {
  const definer = DEFINER;
  return `
create table ${s}.schema_version (version integer not null);
insert into ${s}.schema_version values (1);

-- The key is the SHA-256 of the exact name, for names may be anything; the name is for people to read.
create table ${s}.logs (
  log bigint generated always as identity primary key,
  key bytea not null unique,
  name text not null,
  epoch uuid not null default gen_random_uuid(),
  head bigint not null default 0,
  trimmed bigint not null default 0
);

create table ${s}.entries (
  log bigint not null references ${s}.logs on delete cascade,
  position bigint not null,
  id text collate "C" not null,
  bytes bytea not null,
  primary key (log, position),
  unique (log, id)
);

create table ${s}.snapshots (
  log bigint primary key references ${s}.logs on delete cascade,
  position bigint not null,
  bytes bytea not null
);

create table ${s}.blobs (
  log bigint not null references ${s}.logs on delete cascade,
  name text collate "C" not null,
  bytes bytea not null,
  primary key (log, name)
);
-- Content may well be compressed already.
alter table ${s}.blobs alter column bytes set storage external;

create function ${s}.make(_key bytea, _name text) returns bigint language plpgsql ${definer} as $$
declare
  _log bigint;
begin
  select log into _log from ${s}.logs where key = _key;
  if not found then
    ${DURABLY}
    insert into ${s}.logs (key, name) values (_key, _name) on conflict (key) do nothing;
    select log into strict _log from ${s}.logs where key = _key;
  end if;
  return _log;
end $$;

-- The bytes of all entries in one value, for it travels as it is where an array would be written out as text.
create function ${s}.append(_key bytea, _name text, _ids text[], _lengths int[], _bytes bytea) returns bigint language plpgsql ${definer} as $$
declare
  _log bigint;
  _head bigint;
  _count bigint;
begin
  ${DURABLY}
  select log, head into _log, _head from ${s}.logs where key = _key for update;
  if not found then
    perform ${s}.make(_key, _name);
    select log, head into strict _log, _head from ${s}.logs where key = _key for update;
  end if;
  with given as (
    select id, n, length, sum(length) over (order by n) - length as start
    from unnest(_ids, _lengths) with ordinality as u (id, length, n)
  ), once as (
    select distinct on (id) id, n, length, start from given order by id, n
  ), fresh as (
    select id, row_number() over (order by n) as rank, length, start from once
    where not exists (select from ${s}.entries e where e.log = _log and e.id = once.id)
  )
  insert into ${s}.entries (log, position, id, bytes)
  select _log, _head + rank, id, substring(_bytes from (start + 1)::int for length) from fresh;
  get diagnostics _count = row_count;
  if _count > 0 then
    update ${s}.logs set head = _head + _count where log = _log;
    perform pg_notify('${channel}', encode(_key, 'hex'));
  end if;
  return _head + _count;
end $$;

-- Several logs, whose keys are in hexadecimal and in order, so that those who append to the same logs do not wait for
-- each other in a circle. The counts say how many of the entries are each log's.
create function ${s}.append_all(_keys text[], _names text[], _counts int[], _ids text[], _lengths int[], _bytes bytea) returns bigint[] language plpgsql ${definer} as $$
declare
  _heads bigint[] := '{}';
  _first int := 1;
  _last int;
  _start int := 1;
  _size int;
begin
  for _i in 1 .. cardinality(_keys) loop
    _last := _first + _counts[_i] - 1;
    select coalesce(sum(length), 0) into _size from unnest(_lengths[_first:_last]) as u (length);
    _heads := _heads || ${s}.append(decode(_keys[_i], 'hex'), _names[_i], _ids[_first:_last], _lengths[_first:_last], substring(_bytes from _start for _size));
    _first := _last + 1;
    _start := _start + _size;
  end loop;
  return _heads;
end $$;

create function ${s}.put_snapshot(_key bytea, _name text, _position bigint, _bytes bytea) returns void language plpgsql ${definer} as $$
begin
  ${DURABLY}
  insert into ${s}.snapshots as kept (log, position, bytes) values (${s}.make(_key, _name), _position, _bytes)
  on conflict (log) do update set position = excluded.position, bytes = excluded.bytes where kept.position < excluded.position;
end $$;

-- Marks entries as forgotten. Their removal, which takes its time, need not hold up those who append.
create function ${s}.trim(_key bytea, _up_to bigint) returns void language plpgsql ${definer} as $$
declare
  _log bigint;
  _most bigint;
begin
  ${DURABLY}
  select log, head into _log, _most from ${s}.logs where key = _key for update;
  select least(_up_to, _most, position) into _most from ${s}.snapshots where log = _log;
  if found then
    update ${s}.logs set trimmed = _most where log = _log and trimmed < _most;
  end if;
end $$;

-- Removes some of the entries that are marked; to be called until it returns 0.
create function ${s}.sweep(_key bytea) returns bigint language plpgsql ${definer} as $$
declare
  _log bigint;
  _trimmed bigint;
  _count bigint;
begin
  select log, trimmed into _log, _trimmed from ${s}.logs where key = _key;
  delete from ${s}.entries where log = _log and position in (
    select position from ${s}.entries where log = _log and position <= _trimmed order by position limit 1000
  );
  get diagnostics _count = row_count;
  return _count;
end $$;

create function ${s}.put_blob(_key bytea, _name text, _blob text, _bytes bytea) returns void language plpgsql ${definer} as $$
begin
  ${DURABLY}
  insert into ${s}.blobs (log, name, bytes) values (${s}.make(_key, _name), _blob, _bytes) on conflict do nothing;
end $$;

revoke all on all functions in schema ${s} from public;
`;
}

/** Limits for all that clients give; blobs that can be collected. Version 1's functions go on for clients that know no others. */
const raise = (code: string, message: string): string => `raise exception using errcode = '${code}', message = '${message}'`;

function versionTwo(s: string, channel: string): string {
  return `
update ${s}.schema_version set version = 2;

alter table ${s}.logs add constraint logs_trimmed check (trimmed between 0 and head);
-- When a blob was used the last time, and the position of the last entry whose append named it.
alter table ${s}.blobs add column touched timestamptz not null default now(), add column named bigint not null default 0;

create or replace function ${s}.make(_key bytea, _name text) returns bigint language plpgsql ${DEFINER} as $$
declare
  _log bigint;
begin
  select log into _log from ${s}.logs where key = _key;
  if not found then
    if octet_length(_key) <> 32 or length(_name) > ${MAX_LABEL} then
      ${raise(RAISED.malformed, 'no log has such a name')};
    end if;
    ${DURABLY}
    insert into ${s}.logs (key, name) values (_key, _name) on conflict (key) do nothing;
    select log into strict _log from ${s}.logs where key = _key;
  end if;
  return _log;
end $$;

create function ${s}.append(_key bytea, _name text, _ids text[], _lengths int[], _bytes bytea, _blobs text[]) returns bigint language plpgsql ${DEFINER} as $$
declare
  _log bigint;
  _head bigint;
  _count bigint;
  _named bigint;
begin
  if cardinality(_ids) > ${MAX_ENTRIES} or cardinality(_blobs) > ${MAX_NAMES}
    or exists (select from unnest(_lengths) as u (length) where length > ${MAX_ENTRY_BYTES}) then
    ${raise(RAISED.tooLarge, 'the entries are too many, or one is too large')};
  end if;
  if cardinality(_ids) <> cardinality(_lengths) or exists (select from unnest(_lengths) as u (length) where length is null or length < 0)
    or coalesce((select sum(length) from unnest(_lengths) as u (length)), 0) <> octet_length(_bytes)
    or exists (select from unnest(_ids) as u (id) where id is null or id !~ '^[A-Za-z0-9.-]{1,64}$') then
    ${raise(RAISED.malformed, 'the entries make no sense')};
  end if;
  ${DURABLY}
  select log, head into _log, _head from ${s}.logs where key = _key for update;
  if not found then
    perform ${s}.make(_key, _name);
    select log, head into strict _log, _head from ${s}.logs where key = _key for update;
  end if;
  with given as (
    select id, n, length, sum(length) over (order by n) - length as start
    from unnest(_ids, _lengths) with ordinality as u (id, length, n)
  ), once as (
    select distinct on (id) id, n, length, start from given order by id, n
  ), fresh as (
    select id, row_number() over (order by n) as rank, length, start from once
    where not exists (select from ${s}.entries e where e.log = _log and e.id = once.id)
  )
  insert into ${s}.entries (log, position, id, bytes)
  select _log, _head + rank, id, substring(_bytes from (start + 1)::int for length) from fresh;
  get diagnostics _count = row_count;
  if cardinality(_blobs) > 0 then
    update ${s}.blobs set touched = now(), named = greatest(named, _head + _count) where log = _log and name = any (_blobs);
    get diagnostics _named = row_count;
    if _named < (select count(distinct name) from unnest(_blobs) as u (name)) then
      ${raise(RAISED.blobMissing, 'the entries name a blob that is not there')};
    end if;
  end if;
  if _count > 0 then
    update ${s}.logs set head = _head + _count where log = _log;
    perform pg_notify('${channel}', encode(_key, 'hex'));
  end if;
  return _head + _count;
end $$;

create or replace function ${s}.append(_key bytea, _name text, _ids text[], _lengths int[], _bytes bytea) returns bigint language sql ${DEFINER} as $$
  select ${s}.append(_key, _name, _ids, _lengths, _bytes, '{}');
$$;

-- As before; the blobs that the entries name are by log too.
create function ${s}.append_all(_keys text[], _names text[], _counts int[], _ids text[], _lengths int[], _bytes bytea, _blob_counts int[], _blobs text[]) returns bigint[] language plpgsql ${DEFINER} as $$
declare
  _heads bigint[] := '{}';
  _first int := 1;
  _last int;
  _start int := 1;
  _size int;
  _blob int := 1;
begin
  for _i in 1 .. cardinality(_keys) loop
    _last := _first + _counts[_i] - 1;
    select coalesce(sum(length), 0) into _size from unnest(_lengths[_first:_last]) as u (length);
    _heads := _heads || ${s}.append(decode(_keys[_i], 'hex'), _names[_i], _ids[_first:_last], _lengths[_first:_last],
      substring(_bytes from _start for _size), _blobs[_blob:_blob + _blob_counts[_i] - 1]);
    _first := _last + 1;
    _start := _start + _size;
    _blob := _blob + _blob_counts[_i];
  end loop;
  return _heads;
end $$;

-- Not beyond the head, where it would stand in the way of every later one. One that is there, of version 1, gives way.
create or replace function ${s}.put_snapshot(_key bytea, _name text, _position bigint, _bytes bytea) returns void language plpgsql ${DEFINER} as $$
declare
  _log bigint;
  _head bigint;
begin
  if octet_length(_bytes) > ${MAX_SNAPSHOT_BYTES} then
    ${raise(RAISED.tooLarge, 'the snapshot is too large')};
  end if;
  ${DURABLY}
  _log := ${s}.make(_key, _name);
  select head into strict _head from ${s}.logs where log = _log;
  if _position < 0 or _position > _head then
    ${raise(RAISED.damaged, 'the snapshot is beyond the head of the log')};
  end if;
  insert into ${s}.snapshots as kept (log, position, bytes) values (_log, _position, _bytes)
  on conflict (log) do update set position = excluded.position, bytes = excluded.bytes where kept.position < excluded.position or kept.position > _head;
end $$;

create or replace function ${s}.trim(_key bytea, _up_to bigint) returns void language plpgsql ${DEFINER} as $$
declare
  _log bigint;
  _head bigint;
  _most bigint;
begin
  ${DURABLY}
  select log, head into _log, _head from ${s}.logs where key = _key for update;
  select least(_up_to, position) into _most from ${s}.snapshots where log = _log and position <= _head;
  if found then
    update ${s}.logs set trimmed = _most where log = _log and trimmed < _most;
  end if;
end $$;

create or replace function ${s}.put_blob(_key bytea, _name text, _blob text, _bytes bytea) returns void language plpgsql ${DEFINER} as $$
begin
  if octet_length(_bytes) > ${MAX_BLOB_BYTES} then
    ${raise(RAISED.tooLarge, 'the blob is too large')};
  end if;
  if _blob <> encode(sha256(_bytes), 'hex') then
    ${raise(RAISED.damaged, 'the bytes of the blob have another SHA-256')};
  end if;
  ${DURABLY}
  insert into ${s}.blobs (log, name, bytes) values (${s}.make(_key, _name), _blob, _bytes)
  on conflict (log, name) do update set touched = excluded.touched;
end $$;

-- Which are there. That they were asked for is a use of them, noted once an hour, without waiting for anybody.
create function ${s}.has_blobs(_key bytea, _blobs text[]) returns setof text language plpgsql ${DEFINER} as $$
declare
  _log bigint;
begin
  if cardinality(_blobs) > ${MAX_NAMES} then
    ${raise(RAISED.tooLarge, 'the blobs that are asked for are too many')};
  end if;
  select log into _log from ${s}.logs where key = _key;
  update ${s}.blobs b set touched = now() from (
    select name from ${s}.blobs where log = _log and name = any (_blobs) and touched < now() - interval '1 hour' for update skip locked
  ) old where b.log = _log and b.name = old.name;
  return query select name from ${s}.blobs where log = _log and name = any (_blobs);
end $$;

-- Removes blobs that lie unused, for whoever knows all entries up to a position.
create function ${s}.remove_blobs(_key bytea, _epoch text, _first bigint, _position bigint, _unused_for bigint, _blobs text[]) returns bigint language plpgsql ${DEFINER} as $$
declare
  _log bigint;
  _count bigint;
begin
  if cardinality(_blobs) > ${MAX_NAMES} then
    ${raise(RAISED.tooLarge, 'the blobs are too many')};
  end if;
  select log into _log from ${s}.logs where key = _key and epoch::text = _epoch and head >= _position and trimmed + 1 >= _first for update;
  if not found or (_first > 1 and not exists (select from ${s}.snapshots where log = _log and position >= _position)) then
    return 0;
  end if;
  delete from ${s}.blobs where log = _log and name = any (_blobs) and named <= _position
    and touched <= now() - _unused_for * interval '1 millisecond';
  get diagnostics _count = row_count;
  return _count;
end $$;

revoke all on all functions in schema ${s} from public;
`;
}

/** A bound on the blobs that a role has put and that no append has named. Those of before count nothing. */
function versionThree(s: string): string {
  return `
update ${s}.schema_version set version = 3;

create table ${s}.limits (unnamed_bytes bigint not null);
insert into ${s}.limits values (${UNNAMED_BYTES});

-- Who has put it, and what it counts.
alter table ${s}.blobs add column writer text, add column counts bigint;
create index blobs_unnamed on ${s}.blobs (writer) include (counts) where named = 0 and writer is not null;

-- Puts of one role that are under way at once do not see each other: by these the bound may be passed.
create or replace function ${s}.put_blob(_key bytea, _name text, _blob text, _bytes bytea) returns void language plpgsql ${DEFINER} as $$
declare
  _log bigint;
  _counts bigint := greatest(octet_length(_bytes), ${LEAST_BLOB_BYTES});
begin
  if octet_length(_bytes) > ${MAX_BLOB_BYTES} then
    ${raise(RAISED.tooLarge, 'the blob is too large')};
  end if;
  if _blob <> encode(sha256(_bytes), 'hex') then
    ${raise(RAISED.damaged, 'the bytes of the blob have another SHA-256')};
  end if;
  ${DURABLY}
  _log := ${s}.make(_key, _name);
  update ${s}.blobs set touched = now() where log = _log and name = _blob;
  if found then
    return;
  end if;
  if _counts + (select coalesce(sum(counts), 0) from ${s}.blobs where writer = session_user::text and named = 0) > (select unnamed_bytes from ${s}.limits) then
    ${raise(RAISED.full, 'the role has put as many blobs as it may that no entry names')};
  end if;
  insert into ${s}.blobs (log, name, bytes, writer, counts) values (_log, _blob, _bytes, session_user::text, _counts)
  on conflict (log, name) do update set touched = excluded.touched;
end $$;
`;
}
