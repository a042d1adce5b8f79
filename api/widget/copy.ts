/** An answer with its footnotes, to take along: as text, as HTML, on paper. */
import { h } from "./dom";
import type { Language } from "./language";
import { articlePage, byline, credits, published } from "./sources";
import type { Answer, Citation } from "./widget";

const PRINT_CSS =
  "body{font:11pt/1.5 Georgia,serif;max-width:40em;margin:2em auto}h1{font-size:1.3em}" +
  "ol{padding-inline-start:1.5em}li{margin-block:.75em}blockquote{margin:0}a{color:inherit}";

/** Put an answer on the clipboard, as HTML too where that can be; whether it worked. */
export async function copy(answer: Answer, src: string, words: Language): Promise<boolean> {
  const plain = asText(answer, src, words);
  try {
    const html = new XMLSerializer().serializeToString(asNodes(answer, src, words));
    const blob = (text: string, type: string): Blob => new Blob([text], { type });
    await navigator.clipboard.write([
      new ClipboardItem({
        "text/plain": blob(plain, "text/plain"),
        "text/html": blob(html, "text/html"),
      }),
    ]);
  } catch {
    return plainly(plain);
  }
  return true;
}

/** As text alone; without HTTPS there is no clipboard at all. */
async function plainly(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    return false;
  }
  return true;
}

/** Print an answer alone, in a window of its own. */
export function print(answer: Answer, src: string, words: Language): void {
  const page = window.open("", "_blank") as (Window & typeof globalThis) | null;
  if (!page) return;
  page.document.title = answer.question;
  page.document.documentElement.lang = words.tag;
  const style = new page.CSSStyleSheet();
  style.replaceSync(PRINT_CSS);
  page.document.adoptedStyleSheets = [style];
  page.document.body.append(asNodes(answer, src, words));
  page.addEventListener("afterprint", () => page.close());
  page.print();
}

function asText(answer: Answer, src: string, words: Language): string {
  const notes = answer.citations.map((citation) => {
    const where = [citation.title, ...credits(citation, words)].filter(Boolean).join(" · ");
    return `[${citation.number}] “${citation.quote}”\n    ${where}\n    ${address(citation, src)}`;
  });
  return [answer.question, answer.text, ...notes, permalink(answer, src)].filter(Boolean).join("\n\n");
}

function asNodes(answer: Answer, src: string, words: Language): HTMLElement {
  const notes = answer.citations.map((citation) =>
    h(
      "li",
      { value: citation.number },
      h("blockquote", { dir: "auto" }, citation.quote),
      h("cite", { dir: "auto" }, citation.title),
      " ",
      byline(citation, words),
      " ",
      h("a", { href: address(citation, src) }, words.say("readIt")),
    ),
  );
  const link = permalink(answer, src);
  return h(
    "article",
    {},
    h("h1", { dir: "auto" }, answer.question),
    h("p", { dir: "auto" }, answer.text),
    notes.length > 0 && h("ol", {}, ...notes),
    link && h("p", {}, h("a", { href: link }, link)),
  );
}

const address = (citation: Citation, src: string): string =>
  published(citation) ?? articlePage(src, citation);

/** The page that shows an answer as it was given. */
export const permalink = (answer: Answer, src: string): string =>
  answer.id && `${src}/answers/${encodeURIComponent(answer.id)}`;
