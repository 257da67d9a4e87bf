// node:http: each request is a client of its own. Run: node node-http.mjs
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { StorageHost, install } from 'holdfast';

const host = new StorageHost({ root: process.env.ROOT ?? './data' });
install({ host });

async function visit(request, response) {
  const { visitor } = await json(request);
  sessionStorage.setItem('visitor', visitor); // this request's own
  localStorage.setItem('visits', Number(localStorage.getItem('visits')) + 1); // everybody's
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify({ visitor: sessionStorage.getItem('visitor'), visits: localStorage.getItem('visits') }));
}

const server = createServer((request, response) => host.handle('https://app.example', request, response, visit));
server.listen(process.env.PORT ?? 3000, () => console.log(`http://localhost:${server.address().port}`));
