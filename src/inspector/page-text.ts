/** What browsers load. */
export interface PageText {
  readonly html: string;
  readonly icon: string;
  readonly script: string;
  readonly style: string;
}

let text: Promise<PageText> | undefined;

/** In the source it is bundled at the first use. In the package this module has the text itself: scripts/page.mjs. */
export async function pageText(): Promise<PageText> {
  text ??= bundle();
  return await text;
}

async function bundle(): Promise<PageText> {
  const scripts = (await import(new URL('../../scripts/page.mjs', import.meta.url).href)) as { pageText(): Promise<PageText> };
  return await scripts.pageText();
}
