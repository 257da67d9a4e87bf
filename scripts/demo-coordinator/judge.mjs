// What customers and talkers were told, what the provider has charged, and what is in the storage: do they agree?
import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds in which the alarms of all shows have looked after some more of what was interrupted. */
const PATIENCE_MS = 20_000;

/** The seats of all shows, once no payment is under way any more. */
async function settledSeats(load) {
  let [fewest, end] = [Infinity, 0];
  for (;;) {
    const shows = await Promise.all(load.shows.map(async (name) => ({ name, seats: await load.show(name).seats() })));
    const paying = payingIn(shows);
    if (paying < fewest) [fewest, end] = [paying, Date.now() + PATIENCE_MS];
    if (paying === 0 || Date.now() > end) return shows;
    await delay(100);
  }
}

function payingIn(shows) {
  return shows.flatMap(({ seats }) => seats).filter((seat) => seat?.state === 'paying').length;
}

export async function judge(load, provider) {
  const shows = await settledSeats(load);
  const paid = new Map(shows.flatMap(({ name, seats }) => seats.flatMap((seat, index) => (seat?.state === 'paid' ? [[`${name}/${index + 1}`, seat.customer]] : []))));
  const sellings = new Map();
  for (const { show, seat } of load.told) sellings.set(`${show}/${seat}`, (sellings.get(`${show}/${seat}`) ?? 0) + 1);
  const charged = [...provider.charges.keys()];
  const isSold = (key) => paid.get(key.slice(0, key.lastIndexOf('/'))) === key.slice(key.lastIndexOf('/') + 1);
  const rooms = await Promise.all([...load.said].map(async ([room, said]) => ({ said, history: await load.room(room).history(0) })));
  return {
    sold: paid.size,
    messages: rooms.reduce((sum, { history }) => sum + history.length, 0),
    rows: [
      ['seats sold twice', [...sellings.values()].filter((times) => times > 1).length],
      ['seats that another has than was told', load.told.filter(({ show, seat, customer }) => paid.get(`${show}/${seat}`) !== customer).length],
      ['payments without their seat', charged.filter((key) => !isSold(key)).length],
      ['seats without their payment', [...paid].filter(([seat, customer]) => !provider.charges.has(`${seat}/${customer}`)).length],
      ['payments never settled', payingIn(shows)],
      ['messages lost, or in another place', rooms.reduce((sum, { said, history }) => sum + said.filter(({ place, text }) => history[place] !== text).length, 0)],
      ['messages doubled', rooms.reduce((sum, { history }) => sum + history.length - new Set(history).size, 0)],
      ['messages that nobody has sent', rooms.reduce((sum, { said, history }) => sum + history.length - said.length, 0) - rooms.flatMap(({ history }) => history).filter((text) => load.doubtful.has(text)).length],
      ['histories that changed', load.wrong.length],
    ],
  };
}
