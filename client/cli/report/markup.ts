/**
 * HTML and SVG as values. Text becomes markup here only, escaped; names, reasons and answers of
 * servers are text, so that nobody can write a script into a report.
 */
export interface Markup {
  readonly markup: string;
}

export type Content = string | Markup | readonly Content[];

export type Attributes = Readonly<Record<string, string | number | undefined>>;

const escapes: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string =>
  text
    .replaceAll(/[&<>"']/g, (character) => escapes[character] ?? '')
    // Other control characters than tab and line breaks are not allowed in XML, escaped or not.
    .replaceAll(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');

const isMarkup = (content: Content): content is Markup =>
  typeof content === 'object' && 'markup' in content;

const rendered = (content: Content): string => {
  if (typeof content === 'string') return escaped(content);
  return isMarkup(content) ? content.markup : content.map(rendered).join('');
};

/** Elements that have no content and no end in HTML. */
const voidElements: ReadonlySet<string> = new Set(['meta', 'br']);

/** One element. An attribute without a value is left out. */
export const tag = (name: string, attributes: Attributes, ...content: Content[]): Markup => {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
    .join('');
  if (voidElements.has(name)) return { markup: `<${name}${written}>` };
  return { markup: `<${name}${written}>${rendered(content)}</${name}>` };
};

export const text = (content: string): Markup => ({ markup: escaped(content) });

/** Our own style sheet; the content of `style` is not escaped by HTML. */
export const styleSheet = (css: string): Markup => {
  if (css.includes('<')) throw new TypeError('a style sheet must not hold markup');
  return { markup: `<style>${css}</style>` };
};

/** A whole page. */
export const documentOf = (root: Markup): string => `<!doctype html>\n${root.markup}\n`;

/** A link where it leads to a web page; a text where it is anything else. */
export const link = (url: string, label: string): Markup =>
  /^https?:\/\//.test(url) ? tag('a', { href: url, rel: 'noreferrer' }, label) : text(label);
