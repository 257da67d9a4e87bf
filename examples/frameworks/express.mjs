// Express: each request is a client of its own. Run: node express.mjs
import express from 'express';
import { StorageHost, install } from 'holdfast';

const host = new StorageHost({ root: process.env.ROOT ?? './data' });
install({ host });

const app = express();
app.use((request, response, next) => host.handle('https://app.example', request, response, () => next()));
app.use(express.json());
app.post('/visits', (request, response) => {
  sessionStorage.setItem('visitor', request.body.visitor); // this request's own
  localStorage.setItem('visits', Number(localStorage.getItem('visits')) + 1); // everybody's
  response.json({ visitor: sessionStorage.getItem('visitor'), visits: localStorage.getItem('visits') });
});

const server = app.listen(process.env.PORT ?? 3000, () => console.log(`http://localhost:${server.address().port}`));
