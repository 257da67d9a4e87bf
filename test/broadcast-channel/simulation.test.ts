import { describe, expect, test } from 'vitest';
import { Span, type SpanEffects } from '../../src/disk/channels/span.ts';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import * as sound from './simulation/world.ts';

/** More by hand: `SEEDS=10000`; `FIRST_SEED=n SEEDS=1` repeats one. */
const SEEDS = Number(process.env['SEEDS'] ?? 40);
const FIRST = Number(process.env['FIRST_SEED'] ?? 1);

/** Within so many worlds each defect is found. */
const ENOUGH = 40;

const span = 'disk/channels/span.ts';
const relay = 'sync/channels/channel-relay.ts';

const mutants: Mutant[] = [
  { what: "what was sent over an earlier link comes back as another region's", file: span, from: 'return this.#links.includes(link);', to: 'return link === this.#link;' },
  { what: 'what has its place waits on', file: span, from: '    this.#waiting.delete(key);\n', to: '' },
  { what: 'a link ends without what waits for it', file: span, from: '    for (const { message, session } of this.#waiting.values()) effects.deliver(message, session);\n', to: '' },
  { what: 'nobody is told of what is gone', file: span, from: ' effects.missed();', to: ';' },
  { what: 'whoever was deposed sends what waits for another link', file: relay, from: '    const span = this.#spanOf(following.link);\n    following.throwFailure();', to: '    const span = this.#options.journal.current();\n    if (span === null) return;\n    following.throwFailure();' },
  { what: 'whoever comes back is given what he was away for', file: relay, from: 'await this.#follow(link, head);', to: 'await this.#follow(link, { ...head, position: Math.max(head.first - 1, head.position - 3) });' },
  { what: 'what was sent is sent again', file: relay, from: 'let isSent = last !== null && span.waits(last);', to: 'let isSent = false;' },
  { what: 'several appends are under way at once', file: relay, from: '    if (following.isSending) return;\n', to: '' },
  { what: 'own messages come at once, and again in their place', file: span, from: '    if (this.#link === 0) return effects.deliver(message, id.session);\n', to: '    effects.deliver(message, id.session);\n    if (this.#link === 0) return;\n' },
];

describe('channels of regions', () => {
  test('bring each message once, in the order of the hub, and none to who is away', { timeout: 120_000 + 1000 * SEEDS }, async () => {
    expect(await sound.firstFailure(FIRST, SEEDS)).toBeNull();
  });

  test('bring nothing twice where whoever asked for the head first was the last to follow it', () => {
    const heard: number[] = [];
    const effects: SpanEffects = { deliver: ([byte = 0]) => void heard.push(byte), missed: () => void heard.push(-1), follows: () => undefined };
    const span = new Span();
    span.up(1, { epoch: 'e', position: 5 }, effects);
    for (const position of [6, 7]) span.foreign({ link: 1, position, messages: [Uint8Array.of(position)] }, effects);
    span.up(2, { epoch: 'e', position: 6 }, effects);
    for (const position of [7, 8]) span.foreign({ link: 2, position, messages: [Uint8Array.of(position)] }, effects);
    expect(heard).toEqual([6, 7, 8]);
    span.up(3, { epoch: 'other', position: 2 }, effects);
    span.foreign({ link: 3, position: 3, messages: [Uint8Array.of(3)] }, effects);
    expect(heard).toEqual([6, 7, 8, -1, 3]);
  });
});

describe('the simulation catches:', () => {
  test.each(mutants)('$what', { timeout: 120_000 }, async (mutant) => {
    const broken = await loadMutant<typeof sound>(new URL('simulation/world.ts', import.meta.url), mutant);
    expect(await broken.firstFailure(1, ENOUGH)).toMatch(/^seed/);
  });
});
