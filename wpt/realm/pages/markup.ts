/** A script of a page: of another file, or its own text. */
export type PageScript = { readonly src: string } | { readonly text: string };

/** The little of a page that its scripts need. No tree is built: a page that looks at its own elements is not run. */
export interface Markup {
  readonly scripts: readonly PageScript[];
  readonly title: string | null;
  /** The text of the body's onstorage attribute. */
  readonly onstorage: string | null;
}

export function readMarkup(html: string): Markup {
  const scripts = [...html.matchAll(/<script\b([^>]*)>(.*?)<\/script>/gis)].map(([, attributes = '', text = '']): PageScript => {
    const src = attributeOf(attributes, 'src');
    return src === null ? { text } : { src };
  });
  const body = /<body\b([^>]*)>/i.exec(html)?.[1] ?? '';
  return { scripts, title: /<title>(.*?)<\/title>/is.exec(html)?.[1]?.trim() ?? null, onstorage: attributeOf(body, 'onstorage') };
}

/** In double quotes, or in none. */
function attributeOf(attributes: string, name: string): string | null {
  const found = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|([^\\s"'>]+))`, 'i').exec(attributes);
  return found?.[1] ?? found?.[2] ?? null;
}
