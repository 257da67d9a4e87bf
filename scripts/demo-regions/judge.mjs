// What must be true at the end.
import { faultOfFiles, faultOfKeys } from './ledger.mjs';

/** Sentences about what is wrong; none when nothing is. `contents` and `reports` are by region, and by member. */
export function judge(regions, contents, reports) {
  const [first, ...others] = regions;
  const faults = [];
  for (const { name } of others) {
    for (const what of ['storage', 'files']) {
      if (contents.get(name)[what] !== contents.get(first.name)[what]) {
        faults.push(`${first.name} and ${name} differ in ${what}: ${difference(contents.get(first.name), contents.get(name), what)}`);
      }
    }
  }
  for (const region of regions) faults.push(...faultsOfWriters(region, contents));
  for (const region of regions) faults.push(...faultsOfOrder(region, reports));
  faults.push(...faultsOfCounter(regions, contents.get(first.name), reports), ...faultsOfConflicts(regions, reports));
  return faults;
}

function faultsOfWriters({ members }, contents) {
  const { entries, texts } = [...contents.values()][0];
  const keys = entries.map(([key]) => key);
  const files = new Map(texts.flatMap(([path, text]) => (path.startsWith('own/') ? [[path.slice('own/'.length), text]] : [])));
  return members.flatMap(({ name, done, wasKilled }) =>
    [faultOfKeys(keys, name, done.keys, wasKilled), faultOfFiles(files, name, done.files, wasKilled)].filter((fault) => fault !== null),
  );
}

/**
 * Every member sees the steps of a writer one after another, each once. Only a region that was away for so long that the
 * hub had forgotten what it missed goes on from a snapshot, once, which tells what is different and not how it came so.
 */
function faultsOfOrder({ members, wasCut }, reports) {
  return members.flatMap(({ name }) => {
    const { disorder, gaps } = reports.get(name) ?? { disorder: [], gaps: [] };
    const excused = wasCut ? gaps.filter((gap, index) => gaps.findIndex((other) => other.of === gap.of) === index) : [];
    return [...disorder, ...gaps.filter((gap) => !excused.includes(gap))].map(({ fault }) => fault);
  });
}

/** Each increment that was confirmed counts once; a killed process may have made one more than it told of. */
function faultsOfCounter(regions, { entries }, reports) {
  const found = Number.parseInt(new Map(entries).get('counter') ?? '0');
  const members = regions.flatMap(({ members }) => members);
  const known = members.reduce((sum, { name }) => sum + (reports.get(name)?.increments ?? 0), 0);
  const unknown = members.filter(({ name }) => !reports.has(name)).length;
  if (unknown === 0 && found === known) return [];
  if (unknown > 0 && found >= known) return [];
  return [`the counter is at ${found}, after ${known} increments that were confirmed`];
}

function faultsOfConflicts(regions, reports) {
  const lists = regions.map(({ member }) => JSON.stringify(reports.get(member.name).conflicts));
  return lists.every((list) => list === lists[0]) ? [] : ['the regions report different conflicts'];
}

/** The first thing that two regions do not have in common. */
function difference(a, b, what) {
  const [left, right] = what === 'storage' ? [a.entries, b.entries] : [a.texts, b.texts];
  const index = left.findIndex((each, at) => JSON.stringify(each) !== JSON.stringify(right[at]));
  const show = (entry) => (entry === undefined ? 'nothing' : entry.map((text) => text.slice(0, 60).trim()).join(' = '));
  return index === -1 ? `${left.length} entries here, ${right.length} there` : `entry ${index} is ${show(left[index])} here, ${show(right[index])} there`;
}
