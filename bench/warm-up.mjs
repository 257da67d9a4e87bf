/**
 * Does some work again and again before it is measured. A runtime compiles the code of a call while it runs, which takes a
 * processor of a server some tens of thousands of calls, workerd as many as Node. Everybody is given the same time, also
 * whatever is on the other side.
 */
export async function warmUp(work, milliseconds = 3000) {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) await work();
}
