import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { About, OriginInfo } from '../messages.ts';
import { call } from './api.ts';
import { Ask, type Question } from './dialog.tsx';
import { useNews, type Versions } from './news.ts';
import { Origins } from './origins.tsx';
import { OriginPage } from './origin-page.tsx';
import { Problem, useLoaded } from './parts.tsx';
import { type Go, type Route, useRoute } from './route.ts';
import { ThemeButton } from './theme.tsx';

/** What every panel is given. */
export interface PanelProps {
  readonly origin: string;
  readonly info: OriginInfo;
  readonly route: Route;
  readonly go: Go;
  readonly versions: Versions;
  readonly readOnly: boolean;
  readonly ask: (question: Question) => void;
}

export function App(): JSX.Element {
  const [route, go] = useRoute();
  const { versions, connected } = useNews(route.origin);
  const about = useLoaded(() => call<About>('about'), 'about', 0);
  const [question, setQuestion] = useState<Question | null>(null);
  const readOnly = about.value?.readOnly ?? true;
  return (
    <div class={`app${route.origin === null ? '' : ' chosen'}`}>
      <header class="top">
        <img src="icon.svg" alt="" width={20} height={20} />
        <h1>Holdfast</h1>
        <span class="root" title={about.value?.root}>{about.value?.root}</span>
        {readOnly && about.value !== null && <span class="badge">read-only</span>}
        <span class={`live${connected ? '' : ' cut'}`} role="status">{connected ? 'live' : 'not connected'}</span>
        <ThemeButton />
      </header>
      {about.error !== '' && <Problem>{about.error}</Problem>}
      <Origins route={route} go={go} version={versions.origins} />
      <main>
        {route.origin === null ? <p class="empty">Choose an origin.</p> : <OriginPage key={route.origin} origin={route.origin} route={route} go={go} versions={versions} readOnly={readOnly} ask={setQuestion} />}
      </main>
      {question !== null && <Ask key={question.title} {...question} onClose={() => setQuestion(null)} />}
    </div>
  );
}
