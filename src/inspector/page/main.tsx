import { render } from 'preact';
import { App } from './app.tsx';

// The token has become a cookie: it need not stay where it is read over a shoulder.
const page = document.getElementById('page');
if (page !== null) render(<App />, page);
