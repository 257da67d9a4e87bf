import type { JSX } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const KEY = 'holdfast-inspector-theme';

function remembered(): Theme {
  const theme = localStorage.getItem(KEY);
  return THEMES.find((each) => each === theme) ?? 'auto';
}

const SIGNS: Readonly<Record<Theme, string>> = { auto: '◐', light: '○', dark: '●' };

export function ThemeButton(): JSX.Element {
  const [theme, setTheme] = useState(remembered);
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    localStorage.setItem(KEY, theme);
  }, [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
  return <button type="button" class="quiet sign" title={`Colours: ${theme}. Change to ${next}`} aria-label={`Colours: ${theme}. Change to ${next}`} onClick={() => setTheme(next)}>{SIGNS[theme]}</button>;
}
