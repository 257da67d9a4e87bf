// What a person reads: aligned tables, results.json, and the README's chart.
import { contestants } from './contestants.mjs';
import { judge } from './goals.mjs';

export const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

function cells(area, work, results, order) {
  const own = results.holdfast;
  const peers = order.map((contestant) => {
    const value = results[contestant];
    if (value === undefined || value === null) return '–';
    if (contestant === 'holdfast' || typeof own !== 'number') return digits(value);
    const ratio = contestants[contestant].isLimit ? own / value : value / own;
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

/** One area's table. Ratios: limits: Holdfast ÷ limit; peers: peer ÷ Holdfast. */
export function areaTable({ area, works, order, results, absent }) {
  const head = [area, 'unit', ...order.map((contestant) => contestants[contestant].label), 'goal'];
  const rows = works.map((work) => cells(area, work, results[work.id] ?? {}, order));
  const notes = works.filter((work) => work.durability).map((work) => `  ${work.label}: ${work.durability}`);
  const missing = Object.entries(absent).map(([contestant, why]) => `  ${contestants[contestant].label} takes no part: ${why}`);
  return [align([head, ...rows]), ...notes, ...missing].join('\n');
}

/** Each goal that could be judged, with its work. */
export function judgedWorks(areas) {
  return areas
    .flatMap(({ area, works, results }) =>
      works.flatMap((work) => judge(area, work.id, results[work.id] ?? {}).map((goal) => ({ area, work, ...goal }))),
    )
    .filter(({ met }) => met !== null);
}

export function goalsMet(areas) {
  const judged = judgedWorks(areas);
  return `${judged.filter(({ met }) => met).length} of ${judged.length} goals met`;
}

const unity = 70;
const decade = 100;
/** Where the bars begin. */
const left = 170;

function bar({ label, ratio }, y) {
  const width = Math.max(2, unity + decade * Math.log10(ratio));
  return [
    `<text x="${left - 10}" y="${y}" text-anchor="end">${label}</text>`,
    `<rect x="${left}" y="${y - 11}" width="${width.toFixed(0)}" height="13" rx="2" fill="${label === 'Holdfast' ? '#2a6f5b' : '#b9c4c0'}"/>`,
    `<text x="${(left + 6 + width).toFixed(0)}" y="${y}">${digits(ratio)}×</text>`,
  ];
}

/** The peers of a work that was measured, each with its time as a multiple of Holdfast's. */
export function peersOf(results) {
  return Object.entries(results)
    .filter(([contestant, value]) => !contestants[contestant].isLimit && contestant !== 'holdfast' && typeof value === 'number')
    .map(([contestant, value]) => ({ label: contestants[contestant].label, ratio: value / results.holdfast }));
}

/** Bars of each peer's time as a multiple of Holdfast's, logarithmic. */
export function chart(areas) {
  const groups = areas.flatMap(({ works, results }) =>
    works.filter((work) => work.chart && typeof results[work.id]?.holdfast === 'number').map((work) => ({ label: work.chart, peers: peersOf(results[work.id]) })),
  );
  const lines = [];
  let y = 40;
  for (const { label, peers } of groups) {
    lines.push(`<text x="10" y="${y}" font-weight="bold">${label}</text>`);
    for (const peer of [{ label: 'Holdfast', ratio: 1 }, ...peers]) lines.push(...bar(peer, (y += 20)));
    y += 34;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="640" height="${y - 14}" font-family="sans-serif" font-size="13">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    `<text x="10" y="16" font-size="11">time of a call as a multiple of Holdfast's, logarithmic</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}
