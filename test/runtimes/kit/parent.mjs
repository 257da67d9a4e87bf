// Lines of JSON to and from the process that runs the tests.
import process from 'node:process';

const listeners = new Set();
let rest = '';

export function request(name, message) {
  process.stdout.write(`${JSON.stringify({ request: name, ...message })}\n`);
}

export function onParentMessage(listener) {
  if (listeners.size === 0) listen();
  listeners.add(listener);
}

/** Lets the process end. */
export function closeParent() {
  if (listeners.size > 0) process.stdin.destroy();
}

function listen() {
  process.stdin.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) for (const listener of listeners) listener(JSON.parse(line));
  });
}
