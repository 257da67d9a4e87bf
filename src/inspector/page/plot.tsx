import type { JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Bytes, Sample } from '../messages.ts';
import { bytes, moment } from './format.ts';
import { KINDS } from './parts.tsx';

/** Pixels. */
const [HEIGHT, LEFT, BOTTOM, TOP] = [190, 64, 22, 8];

const FIELDS: Readonly<Record<keyof Bytes, 1 | 2 | 3 | 4>> = { localStorage: 1, fileSystem: 2, indexedDB: 3, caches: 4 };

/** Usage over time, one area on another. Between two samples nothing was written: so these are steps. */
export function UsagePlot({ samples, now }: { readonly samples: readonly Sample[]; readonly now: number }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(720);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return;
    const measure = new ResizeObserver(() => setWidth(Math.max(200, element.clientWidth)));
    measure.observe(element);
    return () => measure.disconnect();
  }, []);
  const begin = samples[0]?.[0] ?? now;
  const end = Math.max(now, begin + 1000);
  const highest = niceAbove(Math.max(1, ...samples.map(total)));
  const x = (time: number): number => LEFT + ((time - begin) / (end - begin)) * (width - LEFT - 8);
  const y = (value: number): number => TOP + (1 - value / highest) * (HEIGHT - TOP - BOTTOM);
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * highest);
  return (
    <div ref={place}>
      <svg class="plot" width={width} height={HEIGHT} role="img" aria-label={`Usage from ${moment(begin)} to ${moment(end)}, at most ${bytes(highest)}`}>
        {marks.map((mark) => (
          <g key={mark}>
            <line x1={LEFT} x2={width - 8} y1={y(mark)} y2={y(mark)} class="grid" />
            <text x={LEFT - 8} y={y(mark) + 4} text-anchor="end">{bytes(mark)}</text>
          </g>
        ))}
        {KINDS.map(([kind], index) => (
          <path key={kind} class={`kind ${kind}`} d={area(samples, end, x, y, KINDS.slice(0, index).map(([below]) => FIELDS[below]), FIELDS[kind])} />
        ))}
        <text x={LEFT} y={HEIGHT - 4}>{moment(begin).slice(11)}</text>
        <text x={width - 8} y={HEIGHT - 4} text-anchor="end">{moment(end).slice(11)}</text>
      </svg>
    </div>
  );
}

function total([, ...values]: Sample): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** A number of bytes of which quarters are round. */
function niceAbove(value: number): number {
  let unit = 4;
  while (unit < value) unit *= 2;
  return unit * 0.75 >= value && unit > 4 ? unit * 0.75 : unit;
}

type Scale = (value: number) => number;

function area(samples: readonly Sample[], end: number, x: Scale, y: Scale, below: readonly (1 | 2 | 3 | 4)[], field: 1 | 2 | 3 | 4): string {
  const low = (sample: Sample): number => below.reduce((sum, each) => sum + sample[each], 0);
  const steps = samples.map((sample, index) => ({ from: x(sample[0]), to: x(samples[index + 1]?.[0] ?? end), low: y(low(sample)), high: y(low(sample) + sample[field]) }));
  const over = steps.flatMap(({ from, to, high }) => [`${from},${high}`, `${to},${high}`]);
  const back = [...steps].reverse().flatMap(({ from, to, low: bottom }) => [`${to},${bottom}`, `${from},${bottom}`]);
  return over.length === 0 ? '' : `M${[...over, ...back].join('L')}Z`;
}
