/** Runtime × area, passed of total. */
export function table(rows, areas) {
  const cells = [
    ['', '', ...areas, 'all'],
    ...rows.map(({ runtime, version, reason, results }) =>
      reason === undefined
        ? [runtime.name, version, ...areas.map((area) => count(results.has(area) ? [results.get(area)] : [])), count([...results.values()])]
        : [runtime.name, `skipped: ${reason}`],
    ),
  ];
  const full = cells.filter((row) => row.length > 2);
  const widths = full[0].map((_, column) => Math.max(...full.map((row) => row[column].length)));
  return cells.map((row) => row.map((cell, column) => pad(cell, widths[column], column)).join('  ').trimEnd()).join('\n');
}

function pad(cell, width, column) {
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}

function count(results) {
  const passed = results.reduce((sum, each) => sum + each.passed.length, 0);
  return `${passed}/${results.reduce((sum, each) => sum + each.failed.length, passed)}`;
}

/** The tests that failed, with their errors; empty when none did. */
export function failures(rows) {
  return rows
    .flatMap(({ runtime, results }) =>
      [...results].flatMap(([area, { failed }]) =>
        failed.map(({ name, error }) => `${runtime.name} · ${area} · ${name}\n${error.trim().replace(/^/gm, '    ')}`),
      ),
    )
    .join('\n\n');
}
