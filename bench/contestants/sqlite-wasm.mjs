// SQLite's build for browsers, on whatever `navigator.storage` the realm has. Runs in Node and in Chromium's worker.

/** `init` is the package's default export. */
export async function openPool(init, options) {
  const sqlite3 = await init(options);
  const pool = await sqlite3.installOpfsSAHPoolVfs({ directory: '/sqlite' });
  const db = new pool.OpfsSAHPoolDb('/bench.db');
  return {
    exec: (sql) => void db.exec(sql),
    writer: (sql) => {
      const statement = db.prepare(sql);
      return (...values) => void statement.bind(values).stepReset();
    },
    reader: (sql) => {
      const statement = db.prepare(sql);
      return (...values) => {
        statement.bind(values).step();
        const value = statement.get(0);
        statement.reset();
        return value;
      };
    },
  };
}

/** To be set before the package is loaded: these VFSs want a server's headers, or a worker; the pool does not. */
export const configuration = { disable: { vfs: { opfs: true, 'opfs-wl': true } } };
