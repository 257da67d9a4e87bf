// What a writer does with keys and files of its own, step by step: the same for whoever writes and for whoever judges.
// A write that came to pass twice, or out of its order, would bring back what a later step has removed.

/** So many keys of its own does a writer keep; each step adds one and removes the oldest. */
export const KEYS = 50;

/** Files of its own; a step writes one of them, or removes it. */
export const FILES = 6;

export const ownKey = (writer, step) => `own/${writer}/${step}`;

/** A value bears who wrote it, at which step, when (microseconds of the machine's clock), and amid what. */
export function stamped(writer, step, phase) {
  return `${microseconds()} ${phase} ${writer} ${step} ${'.'.repeat(step % 120)}`;
}

export function readStamp(value) {
  const [time, phase, writer, step] = value.split(' ');
  return { time: Number(time), phase, writer, step: Number(step) };
}

/** A clock that all processes of a machine share. */
export function microseconds() {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Where a writer's step `n` acts on the files, and what it leaves there: null for nothing. */
export function fileStep(writer, step) {
  const name = `own-${writer}-${step % FILES}`;
  return { name, content: step % 7 === 6 ? null : fileContent(writer, step) };
}

export function fileContent(writer, step) {
  const line = `${writer} ${step} ${'abcdefghij'.repeat(4)}\n`;
  return line.repeat(1 + ((step * 397) % 2000));
}

/**
 * What is wrong with a writer's own keys, as a region lists them; null when nothing is.
 *
 * @param acknowledged the last step that is known to have returned
 * @param wasKilled whether it may have done some of the next steps
 */
export function faultOfKeys(keys, writer, acknowledged, wasKilled) {
  const prefix = ownKey(writer, '');
  const steps = keys.filter((key) => key.startsWith(prefix)).map((key) => Number(key.slice(prefix.length)));
  const last = steps.at(-1) ?? 0;
  if (last < acknowledged) return `step ${acknowledged} of ${writer} was acknowledged, and ${last} is the last there`;
  if (!wasKilled && last > acknowledged) return `${writer} took ${acknowledged} steps, and ${last} is there`;
  // Killed between adding and removing, it leaves one more.
  const first = Math.max(1, last - KEYS + 1);
  const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  if (same(steps, expected) || (wasKilled && same(steps, [first - 1, ...expected]))) return null;
  return `the keys of ${writer} are not those of its steps, in order: ${steps.join(' ')}`;
}

/**
 * The same for its own files, as a map from name to content.
 *
 * @param done the last step that is known to have returned
 */
export function faultOfFiles(files, writer, done, wasKilled) {
  for (let step = Math.max(1, done - FILES + 1); step <= done; step += 1) {
    const { name } = fileStep(writer, step);
    const found = files.get(name) ?? null;
    const allowed = wasKilled ? amid(writer, step) : [fileStep(writer, step).content];
    if (!allowed.includes(found)) return `the file ${name} is ${described(found)}, not as ${writer} left it in step ${step}`;
  }
  return null;
}

/** Who was killed amid the next step on a file left it as before or as after; or made, and not yet written. */
function amid(writer, step) {
  const [before, after] = [step, step + FILES].map((each) => fileStep(writer, each).content);
  return before === null && after !== null ? [before, '', after] : [before, after];
}

function described(content) {
  if (content === null) return 'absent';
  return content === '' ? 'empty' : `as of step ${content.split(' ', 2)[1]}`;
}

function same(a, b) {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}
