import { describe, expect, it } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import type * as Simulation from './simulation.ts';

const mutants: Mutant[] = [
  {
    what: 'a shared request overtakes an exclusive one that waits',
    file: 'disk/locks/web-queues.ts',
    from: 'if (queue.pending.first !== null && queue.pending.first !== claim) return false;',
    to: "if (claim.mode === 'exclusive' && queue.pending.first !== null && queue.pending.first !== claim) return false;",
  },
  {
    what: 'a steal leaves the lock to the one it was stolen from',
    file: 'disk/locks/web-queues.ts',
    from: 'if (how.steal) this.#steal(queue);',
    to: '',
  },
  {
    what: 'nobody looks after the session before a request that has become the next one',
    file: 'disk/locks/web-queues.ts',
    from: '    if (pending.first !== null) noteWhoIsAhead(pending.first);\n',
    to: '',
  },
  {
    what: 'ifAvailable waits',
    file: 'disk/locks/web-queues.ts',
    from: "else if (how.ifAvailable) claim.state = 'refused';",
    to: '',
  },
  {
    what: 'a record is applied before what of the snapshot is kept for later',
    file: 'disk/locks/backlog.ts',
    from: 'return this.machine.apply(record);',
    to: 'return this.#machine.apply(record);',
  },
  {
    what: 'whoever looks sees a table that is not whole yet',
    file: 'disk/locks/participant.ts',
    from: '    this.#backlog.finish();\n',
    to: '',
  },
  {
    what: 'only the first of a queue is granted when several could be',
    file: 'disk/locks/web-queues.ts',
    from: '      this.#events.settled(next);\n',
    to: '      this.#events.settled(next);\n      return;\n',
  },
  {
    what: 'an abort that comes after the grant releases the lock',
    file: 'disk/locks/machine.ts',
    from: "if (claim?.type !== 'web' || claim.state !== 'waiting') return false;",
    to: "if (claim?.type !== 'web') return false;",
  },
  {
    what: "the end of a client releases other clients' locks",
    file: 'disk/locks/session.ts',
    from: 'if (claim.clientId === clientId) ofClient.push(claim);',
    to: 'if (claim.clientId !== "") ofClient.push(claim);',
  },
  {
    what: 'a record of a session that has not joined, or has expired, counts',
    file: 'disk/locks/machine.ts',
    from: "if (session?.standing !== 'present') return known(record.kind);",
    to: 'if (session === undefined) return known(record.kind);',
  },
  {
    what: 'an expired session keeps nothing until it is fenced',
    file: 'disk/locks/machine.ts',
    from: "const waiting = claims.filter((claim) => claim.state === 'waiting');",
    to: 'const waiting = claims;',
  },
  {
    what: 'what an expired session waits for may still be granted to it',
    file: 'disk/locks/machine.ts',
    from: '    this.#dropAll(session, waiting);\n',
    to: '',
  },
  {
    what: 'the fence takes a file from under others who write to it',
    file: 'disk/locks/machine.ts',
    from: "const isKept = (claim: Claim): boolean => session.standing === 'fenced' && claim.type === 'lock' && claim.shared;",
    to: 'const isKept = (_: Claim): boolean => false;',
  },
  {
    what: 'one may share a file with a session that is to be fenced',
    file: 'disk/locks/file-queue.ts',
    from: "lock.session.standing !== 'present' || classesConflict",
    to: 'classesConflict',
  },
  {
    what: 'what a dead session had done is not told',
    file: 'disk/locks/machine.ts',
    from: "if (claim.type === 'operation' && verdicts.get(claim.id) === true) this.#noteChange",
    to: "if (claim.type === 'operation' && verdicts.get(claim.id) === undefined) this.#noteChange",
  },
  {
    what: 'the locks of a session that ends refuse what its operations have blocked',
    file: 'disk/locks/machine.ts',
    from: "    for (const claim of files.held) if (claim.type === 'lock') this.#files.end(claim);\n    this.#files.cancel(files.waiting);\n",
    to: "    this.#files.cancel(files.waiting);\n    for (const claim of files.held) if (claim.type === 'lock') this.#files.end(claim);\n",
  },
  {
    what: 'a claim of a session that ends is granted because another one ended first',
    file: 'disk/locks/file-queue.ts',
    from: "for (const claim of claims) claim.state = 'ended';\n    for (const claim of claims) {\n",
    to: "for (const claim of claims) {\n      claim.state = 'ended';\n",
  },
  {
    what: 'what waits behind a withdrawn operation forgets what else is in its way',
    file: 'disk/locks/file-queue.ts',
    from: 'if (cancelled && claim === first) this.#mustWait(dependent);',
    to: '',
  },
  {
    what: 'a lock of a handle does not wait for operations',
    file: 'disk/locks/file-queue.ts',
    from: 'this.#index.operationsInTheWay([claim.locator], false, claim.order)',
    to: 'null',
  },
  {
    what: 'a refused operation stays in the way',
    file: 'disk/locks/file-queue.ts',
    from: "if (!held && dependent.type === 'operation') leaving.push(dependent);",
    to: '',
  },
  {
    what: "an operation is refused by its own session's lock",
    file: 'disk/locks/file-queue.ts',
    from: "own?.type === 'lock' && own.state === 'held' ? own.locator : null",
    to: 'null',
  },
  {
    what: 'creating is refused by a lock on what exists',
    file: 'disk/locks/file-queue.ts',
    from: "if (intent.operation === 'create') return null;",
    to: '',
  },
  {
    what: 'holding is refused by a lock',
    file: 'disk/locks/file-queue.ts',
    from: "if (intent.operation === 'hold') return null;",
    to: '',
  },
  {
    what: 'an operation on a tree does not see locks below it',
    file: 'disk/locks/path-index.ts',
    from: 'if (!tree) return null;',
    to: 'if (tree || !tree) return null;',
  },
  {
    what: 'an operation does not wait for one on a tree above it',
    file: 'disk/locks/path-index.ts',
    from: '  const last = lastBefore(trees, order);\n',
    to: '  const last = undefined as OperationClaim | undefined;\n',
  },
  {
    what: 'an operation on a tree does not wait for those below it',
    file: 'disk/locks/path-index.ts',
    from: '    addBelow(node, search, search.tree ? standIn : Math.max(standIn, here));\n',
    to: '',
  },
  {
    what: 'an operation on a tree does not wait for what came below after the last one that it waits for',
    file: 'disk/locks/path-index.ts',
    from: 'search.tree ? standIn : Math.max(standIn, here)',
    to: 'Math.max(standIn, here)',
  },
  {
    what: 'nobody looks after the session whose operation is in the way',
    file: 'disk/locks/file-queue.ts',
    from: 'if (blocker.session !== claim.session) (claim.session.behindOthers ??= new Set()).add(claim);',
    to: '',
  },
  {
    what: 'a move covers its source only',
    file: 'disk/locks/claims.ts',
    from: 'return intent.target === undefined ? [intent.source] : [intent.source, intent.target];',
    to: 'return [intent.source];',
  },
  {
    what: 'a place is dropped from the index while something is below it',
    file: 'disk/locks/path-index.ts',
    from: 'node.parent !== null && node.operationCount === 0 && node.lockCount === 0',
    to: 'node.parent !== null && node.operations.length === 0 && node.locks.size === 0',
  },
  { what: 'a snapshot forgets who waits', file: 'disk/locks/snapshot.ts', from: ".flag(claim.state === 'held')", to: '.flag(true)' },
  { what: 'a snapshot forgets which of many wait', file: 'disk/locks/snapshot.ts', from: ".flag(first.state === 'held')", to: '.flag(true)' },
  {
    what: 'a snapshot takes claims of two sessions for those of one',
    file: 'disk/locks/snapshot.ts',
    from: 'next.session === last.session && ',
    to: '',
  },
  {
    what: 'a snapshot forgets who has expired',
    file: 'disk/locks/snapshot.ts',
    from: 'standings.indexOf(session.standing)',
    to: '0',
  },
  {
    what: 'a snapshot forgets what is shared with a session that is to be fenced',
    file: 'disk/locks/snapshot.ts',
    from: "claim.type === 'lock' && claim.shared",
    to: 'false',
  },
  {
    what: 'a snapshot has the pending requests of a name before those that came first',
    file: 'disk/locks/web-queues.ts',
    from: 'return sortBy(this.pending(), (claim) => claim.order);',
    to: 'return this.pending();',
  },
  {
    what: 'a reader that was restored from a snapshot misses changes silently',
    file: 'disk/locks/machine.ts',
    from: 'if (missed === null) this.#listener.gap();\n    else for (const change of missed)',
    to: 'for (const change of missed?.slice(1e9) ?? [])',
  },
  {
    what: 'a realm does not learn from a snapshot what became of its claims',
    file: 'disk/locks/participant.ts',
    from: 'this.#news.add(() => this.#reconcile());',
    to: '',
  },
  {
    what: 'whoever causes a grant wakes nobody',
    file: 'disk/locks/participant.ts',
    from: 'if (by === this.#session && session.id !== by) this.#toWake.add(session.folder);',
    to: '',
  },
  {
    what: 'a realm whose session is gone believes that it still holds',
    file: 'disk/locks/participant.ts',
    from: 'this.#holdings.loseAll(error);',
    to: '',
  },
  {
    what: 'a realm goes on while something runs that lost what it held',
    file: 'disk/locks/holdings.ts',
    from: 'if (holding.running) this.#orphans.add(holding);',
    to: '',
  },
];

describe('the simulation catches a table in which', () => {
  it.each(mutants)('$what', async (mutant) => {
    const { simulate } = await loadMutant<typeof Simulation>(new URL('simulation.ts', import.meta.url), mutant);
    for (let seed = 1; seed <= 400; seed++) if (simulate(seed) !== null) return;
    expect.fail('not caught in 400 schedules');
  });
});
