import { join } from 'node:path';

export async function open(root) {
  const { DatabaseSync } = await import('node:sqlite');
  return {
    openDatabase: async () => {
      const db = new DatabaseSync(join(root, 'bench.db'));
      return {
        exec: (sql) => db.exec(sql),
        writer: (sql) => {
          const statement = db.prepare(sql);
          return (...values) => void statement.run(...values);
        },
        reader: (sql) => {
          const statement = db.prepare(sql);
          return (...values) => Object.values(statement.get(...values))[0];
        },
      };
    },
  };
}
