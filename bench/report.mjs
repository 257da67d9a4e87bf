// What a person reads: aligned tables, results.json, and the README's chart.
import { contestants } from './contestants.mjs';
import { judge } from './goals.mjs';

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

function cells(area, work, results, order) {
  const own = results.holdfast;
  const peers = order.map((contestant) => {
    const value = results[contestant];
    if (value === undefined || value === null) return '–';
    if (contestant === 'holdfast' || typeof own !== 'number') return digits(value);
    const ratio = contestant === 'limit' ? own / value : value / own;
    return `${digits(value)} (${digits(ratio)}×)`;
  });
  const goals = judge(area, work.id, results);
  const missed = goals.filter(({ met }) => met === false).map(({ text, reached }) => `${text}: ${digits(reached)}`);
  const verdict = goals.some(({ met }) => met !== null) ? (missed.length === 0 ? 'met' : `MISSED ${missed.join(', ')}`) : '';
  return [work.label, work.unit ?? 'µs', ...peers, verdict];
}

function align(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const last = widths.length - 1;
  return rows
    .map((row) =>
      row.map((cell, column) => (column < 2 || column === last ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ').trimEnd(),
    )
    .join('\n');
}

/** One area's table. Ratios: limit: Holdfast ÷ limit; peers: peer ÷ Holdfast. */
export function areaTable({ area, works, order, results, absent }) {
  const head = [area, 'unit', ...order.map((contestant) => contestants[contestant].label), 'goal'];
  const rows = works.map((work) => cells(area, work, results[work.id] ?? {}, order));
  const notes = works.filter((work) => work.durability).map((work) => `  ${work.label}: ${work.durability}`);
  const missing = Object.entries(absent).map(([contestant, why]) => `  ${contestants[contestant].label} takes no part: ${why}`);
  return [align([head, ...rows]), ...notes, ...missing].join('\n');
}

/** Bars of how many times slower each peer is, logarithmic; Holdfast is 1. */
export function chart(areas) {
  const bars = areas.flatMap(({ works, results }) =>
    works
      .filter((work) => work.chart)
      .map((work) => ({
        label: work.chart,
        peers: Object.entries(results[work.id])
          .filter(([contestant, value]) => contestant !== 'limit' && contestant !== 'holdfast' && typeof value === 'number')
          .map(([contestant, value]) => ({ label: contestants[contestant].label, ratio: value / results[work.id].holdfast })),
      })),
  );
  const lines = [];
  let y = 30;
  for (const { label, peers } of bars) {
    lines.push(`<text x="10" y="${y}" font-weight="bold">${label}</text>`);
    for (const { label: peer, ratio } of [{ label: 'Holdfast', ratio: 1 }, ...peers]) {
      y += 20;
      const width = 12 + 110 * Math.max(0, Math.log10(ratio));
      lines.push(
        `<text x="160" y="${y}" text-anchor="end">${peer}</text>`,
        `<rect x="170" y="${y - 11}" width="${width.toFixed(0)}" height="13" rx="2" fill="${peer === 'Holdfast' ? '#2a6f5b' : '#b9c4c0'}"/>`,
        `<text x="${(176 + width).toFixed(0)}" y="${y}">${digits(ratio)}×</text>`,
      );
    }
    y += 34;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="${y}" font-family="sans-serif" font-size="13">\n<rect width="100%" height="100%" fill="#fff"/>\n<text x="10" y="12" font-size="11">time of a call as a multiple of Holdfast's, logarithmic</text>\n${lines.join('\n')}\n</svg>\n`;
}
