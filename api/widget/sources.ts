/** What a source is called, and the addresses that lead to it. */
import { h } from "./dom";
import type { Language } from "./language";
import type { Citation, Passage, Source } from "./widget";

const WORDS_AT_ENDS = 5; // of a quotation, in a link
const WORDS_AROUND = 3;

/** "Outlet, 24 Jan 2025". */
export function nameOf(source: Source, words: Language): string {
  const name = source.outlet ?? source.title ?? source.article_id;
  return [name, words.date(source.published_at)].filter(Boolean).join(", ");
}

/** Author, outlet and day, as far as they are known. */
export function credits(source: Source, words: Language): string[] {
  const { author, outlet, published_at } = source;
  return [author ?? "", outlet ?? "", words.date(published_at)].filter(Boolean);
}

/** "Author · Outlet · 24 Jan 2025", each in its own direction. */
export function byline(source: Source, words: Language): HTMLElement {
  const parts = credits(source, words).map((one) => h("bdi", {}, one));
  const nodes = parts.flatMap((one, index) => (index ? [" · ", one] : [one]));
  return h("span", { class: "byline" }, ...nodes);
}

/** The passage or quotation itself. */
export const quoteOf = (source: Citation | Passage): string =>
  "quote" in source ? source.quote : source.text;

/** The url, if it is one of the web: another one might run script. */
export function webAddress(url: string | null): URL | null {
  if (!url || !URL.canParse(url)) return null;
  const address = new URL(url);
  return /^https?:$/.test(address.protocol) ? address : null;
}

/** The page where the article was published, at the quotation; null if it is not known. */
export function published(source: Citation | Passage): string | null {
  const address = webAddress(source.url);
  if (!address) return null;
  const around = "quote" in source ? source : { prefix: "", suffix: "" };
  const fragment = textFragment(quoteOf(source), around.prefix, around.suffix);
  const own = address.hash;
  address.hash = "";
  return `${address.href}${own || "#"}:~:${fragment}`;
}

/** The service's own page of an article, at the quotation. */
export function articlePage(src: string, source: Source): string {
  const id = encodeURIComponent(source.article_id);
  return `${src}/articles/${id}?start=${source.start}&end=${source.end}#quote`;
}

/** `text=prefix-,start,end,-suffix` (URL Fragment Text Directives, WICG). */
export function textFragment(quote: string, prefix: string, suffix: string): string {
  const words = wordsOf(quote);
  const [first, last] = [words[WORDS_AT_ENDS - 1], words.at(-WORDS_AT_ENDS)];
  const long = words.length > 2 * WORDS_AT_ENDS && first && last;
  const parts = long ? [quote.slice(0, first.end), quote.slice(last.start)] : [quote];
  const before = edge(prefix, -1);
  const after = edge(suffix, 1);
  return [
    "text=",
    before && `${encoded(before)}-,`,
    parts.map(encoded).join(","),
    after && `,-${encoded(after)}`,
  ].join("");
}

interface Span {
  start: number;
  end: number;
}

function wordsOf(text: string): Span[] {
  const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
  return [...segmenter.segment(text)]
    .filter((one) => one.isWordLike)
    .map(({ index, segment }) => ({ start: index, end: index + segment.length }));
}

/** The words next to a quotation, of its own line; the outermost may be cut, so it is left out. */
function edge(around: string, side: 1 | -1): string {
  const lines = around.split(/[\r\n]+/);
  const line = (side < 0 ? lines.at(-1) : lines[0]) ?? "";
  const words = wordsOf(line);
  if (lines.length === 1) words.splice(side < 0 ? 0 : -1, 1);
  const near = side < 0 ? words.slice(-WORDS_AROUND) : words.slice(0, WORDS_AROUND);
  const [first, last] = [near[0], near.at(-1)];
  if (!first || !last) return "";
  return side < 0 ? line.slice(first.start) : line.slice(0, last.end);
}

/** Percent-encoded, also what the directive's own syntax uses. */
function encoded(text: string): string {
  const whole = text.trim().replace(/\s+/g, " ").toWellFormed();
  return encodeURIComponent(whole).replace(/-/g, "%2D");
}
