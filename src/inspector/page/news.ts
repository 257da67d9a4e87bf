import { useEffect, useRef, useState } from 'preact/hooks';
import type { News, Topic } from '../messages.ts';
import { addressOf } from './api.ts';

/** How often something has changed, so that whoever shows it asks again when its number does. */
export type Versions = Readonly<Record<Topic, number>>;

const TOPICS: readonly Topic[] = ['origins', 'usage', 'items', 'files', 'locks', 'databases', 'caches', 'buckets', 'channels', 'sync', 'coordinators'];
const none = Object.fromEntries(TOPICS.map((topic) => [topic, 0])) as Record<Topic, number>;

export interface Live {
  readonly versions: Versions;
  readonly connected: boolean;
}

/** What others write, as the server tells it. After a gap everything counts as changed. */
export function useNews(origin: string | null): Live {
  const [versions, setVersions] = useState<Versions>(none);
  const [connected, setConnected] = useState(true);
  const wasCut = useRef(false);
  useEffect(() => {
    const source = new EventSource(addressOf('news', origin === null ? {} : { origin }));
    const note = (topics: readonly Topic[]): void => setVersions((before) => ({ ...before, ...Object.fromEntries(topics.map((topic) => [topic, (before[topic] ?? 0) + 1])) }));
    source.onopen = () => {
      setConnected(true);
      if (wasCut.current) note(TOPICS);
      wasCut.current = false;
    };
    source.onerror = () => {
      setConnected(false);
      wasCut.current = true;
    };
    source.onmessage = ({ data }) => note((JSON.parse(String(data)) as News).changed);
    // A stream that the server refuses is not tried again by the browser.
    const again = setInterval(() => {
      if (source.readyState === EventSource.CLOSED) void fetch('page.css', { method: 'HEAD' }).then((response) => response.ok && note(['origins']), () => undefined);
    }, 3000);
    return () => {
      clearInterval(again);
      source.close();
    };
  }, [origin]);
  return { versions, connected };
}
