// The table at the end.
import { table } from '../demo/progress.mjs';

const head = ['region', 'writes', 'files', 'rejected', 'conflicts', 'events', 'visible: median', '99 %', 'amid trouble', '99 %', 'burst', 'content'];

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Milliseconds; a dash when nothing was measured. */
function percentile(values, share) {
  if (values.length === 0) return '–';
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return `${value < 100 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

function row(name, members, conflicts, rate, content) {
  const delays = (phase) => members.flatMap(({ delays }) => delays[phase] ?? []);
  return [
    name,
    sum(members.map(({ writes }) => writes)),
    sum(members.map(({ fileWrites }) => fileWrites)),
    sum(members.map(({ refused }) => refused)),
    conflicts,
    sum(members.map(({ events }) => events)),
    percentile(delays('calm'), 0.5),
    percentile(delays('calm'), 0.99),
    percentile(delays('trouble'), 0.5),
    percentile(delays('trouble'), 0.99),
    `${Math.round(rate)}/s`,
    content,
  ];
}

/**
 * A row a region and one for all. Writes, rejections and events are those of the processes that lived to tell; conflicts
 * are the versions of files that a region lost; delays are how late it saw what others wrote.
 */
export function regionTable(regions, reports, contents, rates) {
  const lists = [];
  const rows = regions.map(({ name, living, member }, index) => {
    const own = living.map((each) => reports.get(each.name));
    lists.push(own);
    const conflicts = reports.get(member.name).conflicts.filter(({ loser }) => loser === name).length;
    const { storage, files } = contents.get(name);
    return row(name, own, conflicts, rates[index], `${storage.slice(0, 8)} ${files.slice(0, 8)}`);
  });
  const conflicts = sum(rows.map((each) => each[head.indexOf('conflicts')]));
  return table([head, ...rows, row('all', lists.flat(), conflicts, sum(rates), '')]);
}
