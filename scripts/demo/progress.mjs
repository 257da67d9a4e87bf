/** A bar on a terminal, nothing elsewhere. Returns the function that counts one more. */
export function progress(label, total) {
  const { stderr } = process;
  let done = 0;
  let shown = 0;
  return () => {
    done += 1;
    if (!stderr.isTTY || (done < total && Date.now() - shown < 50)) return;
    shown = Date.now();
    const width = 30;
    const filled = Math.round((width * done) / total);
    stderr.write(`\r${label.padEnd(20)} ${'█'.repeat(filled)}${'·'.repeat(width - filled)} ${done}/${total}`);
    if (done === total) stderr.write('\r\u001b[K');
  };
}

/** Runs `work` over `items`, `width` at a time, in order of start. */
export async function inParallel(items, width, work) {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
}

/** Rows as aligned columns; the first row is the head. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => String(row[column]).length)));
  return rows
    .map((row) => row.map((cell, column) => pad(String(cell), widths[column], column === 0)).join('  '))
    .join('\n');
}

function pad(text, width, left) {
  return left ? text.padEnd(width) : text.padStart(width);
}
