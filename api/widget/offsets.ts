/** Offsets count Unicode code points; JavaScript's strings count UTF-16 units. */

/** The index of a code point in a string; null beyond its end. */
export function unitIndex(text: string, point: number): number | null {
  if (point < 0) return null;
  let index = 0;
  for (let left = point; left > 0; left--) {
    if (index >= text.length) return null;
    index += text.codePointAt(index)! > 0xffff ? 2 : 1;
  }
  return index;
}

/** Where a quote stands in a text, in UTF-16 units; null unless it stands exactly there. */
export function quoted(text: string, start: number, end: number, quote: string): [number, number] | null {
  const from = unitIndex(text, start);
  const to = unitIndex(text, end);
  if (from === null || to === null || from >= to) return null;
  return text.slice(from, to) === quote ? [from, to] : null;
}

/** The text's paragraphs as spans: parted by blank lines, or by lines where there is no blank one. */
export function paragraphs(text: string): [number, number][] {
  const blank = /\n[ \t\r]*\n\s*/g;
  const separator = text.search(blank) >= 0 ? blank : /[\r\n\u2028\u2029]+/g;
  const spans: [number, number][] = [];
  let start = 0;
  for (const found of text.matchAll(separator)) {
    spans.push([start, found.index]);
    start = found.index + found[0].length;
  }
  spans.push([start, text.length]);
  return spans.filter(([from, to]) => text.slice(from, to).trim());
}
