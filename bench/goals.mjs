// What each work must reach: `peer` at least so many times slower than Holdfast, Holdfast at most so many times the
// limit, or an absolute bound in the work's own unit; `each`: such a bound for each runtime.

/** `node`: of all from Node 22 on. */
const ofRuntimes = (kind, { node, ...others }) =>
  Object.fromEntries(Object.entries({ 'node-22': node, 'node-24': node, 'node-26': node, ...others }).map(([runtime, bound]) => [runtime, { [kind]: bound }]));

export const goals = {
  'web-storage': {
    getItem: { node: 4, limit: 1.3 },
    setItem: { limit: 1.9, node: 8, deno: 20, 'node-localstorage': 200 },
  },
  'sync-access': {
    read4k: { limit: 1.15, chromium: 2 },
    write4k: { limit: 1.15, chromium: 2 },
    read1m: { limit: 1.15, chromium: 2 },
    write1m: { limit: 1.15, chromium: 2 },
    open: { chromium: 8 },
  },
  files: {
    replace4k: { limit: 1.25, chromium: 1 },
    create4k: { limit: 1.25, chromium: 1 },
    replace1m: { limit: 1.25, chromium: 1 },
    create1m: { limit: 1.25, chromium: 1 },
    text4k: { limit: 1.5, chromium: 4 },
    buffer1m: { limit: 1.5, chromium: 4 },
    nameCreate: { chromium: 5 },
    nameExisting: { chromium: 5 },
    iterate: { chromium: 5 },
    removeEntry: { chromium: 5 },
    removeTree: { atMost: 2 },
  },
  locks: { request: { atMost: 60 }, requestAmong: { atMost: 60 } },
  cache: { match1k: { chromium: 3 }, put1m: { limit: 1.5 }, match1m: { chromium: 3, limit: 1.5 } },
  channel: { pingThread: { node: 0.1 }, pingProcess: { atMost: 4000 } },
  'indexed-db': {
    put: { limit: 4, chromium: 8, 'fake-indexeddb': 0.33 },
    get: { limit: 5, chromium: 10, 'fake-indexeddb': 1.3 },
    getChained: { limit: 2, chromium: 7, 'fake-indexeddb': 1.8 },
    getParallel: { limit: 2, chromium: 7, 'fake-indexeddb': 1.8 },
    putMany: { limit: 5, chromium: 2.5, 'fake-indexeddb': 1 },
    cursor: { chromium: 1.5, 'fake-indexeddb': 1.3 },
    getAll: { limit: 3, chromium: 1.5, 'fake-indexeddb': 1 },
    indexGet: { limit: 2, chromium: 8, 'fake-indexeddb': 2 },
    putPause: { atMost: 10 },
    getPause: { atMost: 10 },
    putManyPause: { atMost: 10 },
    cursorPause: { atMost: 10 },
    getAllPause: { atMost: 10 },
  },
  start: { first: { atMost: 12 }, lock: { atMost: 5 }, handle: { atMost: 8 }, modules: { atMost: 12 }, size: { atMost: 25 } },
  tenants: { heap: { atMost: 6 }, open: { atMost: 200 } },
  scale: { replay: { atLeast: 250 } },
  operations: { read: { atMost: 2 }, verify: { atLeast: 300 } },
  sync: { ratio: { atMost: 1.5 } },
  coordinator: {
    read: { workerd: 8 },
    increment: { workerd: 15 },
    httpRelaxed: { workerd: 7 },
    httpStrict: { workerd: 4 },
    farRead: { limit: 1.5 },
    far: { limit: 1.5 },
    activation: { atMost: 500 },
    memory: { atMost: 8 },
    takeover: { atMost: 50 },
    alarm: { atMost: 15 },
  },
  encryption: {
    setItem: { each: ofRuntimes('atMost', { node: 1.7, 'node-20': 1.9, 'bun-1': 1.4, 'deno-2': 2.4 }) },
    getItem: { each: ofRuntimes('atMost', { node: 1.05, 'node-20': 1.05, 'bun-1': 1.05, 'deno-2': 1.05 }) },
    replay: { each: ofRuntimes('atMost', { node: 2, 'node-20': 2, 'bun-1': 2, 'deno-2': 4 }) },
    read4k: { each: ofRuntimes('atMost', { node: 7, 'node-20': 8, 'bun-1': 5, 'deno-2': 28 }) },
    readInto: { each: ofRuntimes('atLeast', { node: 80, 'node-20': 50, 'bun-1': 100 }) },
    // What reads synchronously has nothing but node:crypto's own AES-GCM there.
    readFile: { each: { 'deno-2': { atLeast: 12 } } },
    bulk: { each: ofRuntimes('atMost', { node: 1.1 }) },
    insert: { each: ofRuntimes('atMost', { node: 1.1 }) },
    commit: { each: ofRuntimes('atMost', { node: 1.3 }) },
    select: { each: ofRuntimes('atMost', { node: 1.8 }) },
  },
};

const ownCalls = 'What Chromium takes is less than twice the bare system call, which therefore would not reach this either.';
const ordered =
  'A write is four records in the journal of the locks, each appended and read back, which order it among processes, and looks whether a link stands on the path: a fifth of its time. A quarter is the collection of what the runtime\'s own WritableStream leaves, an eighth making one.';

const acrossBlocks =
  'The pool sets SQLite\'s pages 4,096 bytes behind the beginning of a file, so that each, of 8 KiB, lies in three blocks, and SQLite writes its journal in pieces of a few bytes: the 14 writes and the cut of a commit of one row encipher 24 blocks, each with a cipher object and an IV of its own, and none may wait, for a write is in the kernel when it returns. Nothing is deciphered, nor read, for what was written just before. Of what a commit takes beyond the plain one, a quarter is making these ciphers and what they do, a sixth the collection of what they leave on other threads, a seventh drawing their IVs from the kernel, an eighth the cut, which is two and a block.';

/** What the profile shows where a goal is not met. */
export const notes = {
  'sync-access': { read4k: ownCalls, read1m: ownCalls, write1m: ownCalls },
  files: { replace4k: ordered, create4k: ordered },
  cache: {
    match1m:
      'What is left are collections. In a heap of more than 8 MB, V8 has the whole of it marked whenever new buffers exceed the room that it may grow by, some 16 MiB; the code of the runtime\'s own Response takes 7 MB, Holdfast\'s and 1,000 entries 3 MB more. The bare reads, in a process of 4 MB that does nothing else, stay below that, and have their buffers freed with the young generation. In Holdfast\'s process they take five sixths or more of what this takes, and a Response made of what was read takes one and a half to four times as much as this: both stand in the table beside the limit.',
    put1m:
      'The body has to be taken out of the Response that is put: bare files that are given one take longer than this, as the table shows.',
  },
  'indexed-db': {
    put: 'Bare SQLite alone takes longer than fake-indexeddb in memory: half of this. Two looks into the journal of the locks say whether anybody else waits to write and whether the place is still held (the second is mostly left out); a tenth is the collection of garbage.',
    getChained: 'Nearly two fifths are SQLite\'s statement, with two look-ups where the bare one has one; a seventh is reading the value, a fourteenth carrying it out of SQLite as text, since bytes would be memory of their own each time. The rest is a request, an event and a task for each, which with bare statements alone take what the column "limit, as requests" says.',
    getParallel: 'Requests that stand one behind another are answered by one statement, which takes half as long as as many bare ones; the rest is a request, an event and a promise for each, which with bare statements alone take what the column "limit, as requests" says.',
    getAllPause: 'It is 4 to 5 ms where V8 collects nothing meanwhile. What the rounds before have left is collected in 8 ms and more at a time on a slow processor; the read itself gives way after each millisecond.',
    putMany: 'Three fifths are SQLite\'s: the record, its entry in the index, the commit of pages of which each record has touched another, and checkpoints; that alone is nine tenths of what fake-indexeddb takes in memory. A tenth is writing the value, and a tenth the program\'s own records.',
  },
  coordinator: {
    read: 'A third or more is the look into the journal, one system call without which a deposed instance would answer. The rest are the checkpoints of microtasks at the ends of two tasks, the promise and its reactions, and the scope in which a handler runs, a fourteenth.',
    increment: 'A third of a call is the append and the read that shows at which place in the order of all processes it landed.',
    far: 'Both sides of a call took 1.6 to 1.9 times the CPU time of both ends of a bare trip on a loaded machine. The system calls are those of the bare trip, and the append and the read of the journal, without which nobody would know that a deposed owner answers; the rest is the turn, and encoding and decoding. The longer both sides work, the more often the other one has gone to sleep, and has to be woken.',
    alarm: 'An alarm is a record in the coordinator\'s own journal, appended and read back, and one before it in the index of all, so that no kill loses an alarm, which those that are set at once share. A quarter are the system calls of both and of a look, four times a second, whether the journal is still in its place; a tenth is the index, a tenth the collection of garbage. The rest is that coordinators take turns whose memory is cold: a plain increment of as many takes as much.',
  },
  encryption: {
    read4k: 'Each block has an IV of its own, and so needs a cipher object of its own: making one and deciphering 4 KiB with it takes two (Bun) to six (Node 20) times as long as a bare read, and thirty times in Deno, whose AES-GCM does 0.2 GB a second.',
    readInto: 'The cipher takes what it takes in openssl; the rest is the memory that the runtime makes anew for each 64 KiB that it has deciphered, and copying out of it, for none of one\'s own can be given to it.',
    readFile: 'Deno\'s WebCrypto alone, given sixteen blocks at once, deciphers 0.3 to 0.8 GB a second, a fifth of what openssl does at best; a third of the time passes in the call itself, before a thread has it. The rest is reading, copying out and opening the file.',
    insert: `${acrossBlocks} Without any cipher, the blocks copied as they are, a transaction of 1,000 rows still takes 1.14 to 1.16 times the plain one's time on the processor.`,
    commit: acrossBlocks,
    select: 'A page of SQLite\'s pool, of 8 KiB, lies in three blocks, and four of five selects read one. A select deciphers two and a half blocks, half of what the plain one takes altogether; each of them needs a cipher object of its own.',
  },
  'web-storage': {
    setItem:
      'Seven tenths of a call are two system calls: the append, and the read that shows at which place in the order of all processes it landed. Neither can be left out: without the second nobody knows whether another record came before, which decides about the quota and about a journal that was moved on.',
  },
  start: {
    first: 'Half is compiling the code that is loaded; resolving and linking modules takes a quarter.',
    lock: 'Half is compiling and linking the code of locks, which no program loads before it asks for one.',
    handle: 'Two thirds are compiling and linking the code of files and locks, a sixth loading node:worker_threads, which alone can keep a handle from being cloned into an empty object.',
    size: 'A synchronous setItem() may need all of journal, map, root and compaction, so none of that can be loaded later.',
  },
};

function bounded(kind, bound, reached) {
  const met = kind === 'atMost' ? reached <= bound : reached >= bound;
  return { text: `${kind === 'atMost' ? '≤' : '≥'} ${bound}`, reached, met };
}

/** Nothing can be said of a runtime that is not here. */
function judgeRuntime(runtime, goal, reached) {
  const [[kind, bound]] = Object.entries(goal);
  const { text, met } = bounded(kind, bound, reached);
  return { text: `${runtime} ${text}`, reached: reached ?? null, met: typeof reached === 'number' ? met : null };
}

/** Each goal of a work, with what was reached and whether that is enough. */
export function judge(area, work, results) {
  const wanted = goals[area]?.[work] ?? {};
  const own = results.holdfast;
  return Object.entries(wanted).flatMap(([against, bound]) => {
    if (against === 'each') return Object.entries(bound).map(([runtime, goal]) => judgeRuntime(runtime, goal, results[runtime]));
    if (against === 'atMost' || against === 'atLeast') return bounded(against, bound, own);
    const other = results[against];
    if (typeof other !== 'number') return { text: `vs ${against}`, reached: null, met: null };
    const ratio = against === 'limit' ? own / other : other / own;
    const met = against === 'limit' ? ratio <= bound : ratio >= bound;
    return { text: against === 'limit' ? `≤ ${bound}× limit` : `≥ ${bound}× ${against}`, reached: ratio, met };
  });
}
