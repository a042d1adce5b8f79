/** The article beside the answer, its quotation marked. */
import { button, h } from "./dom";
import type { Language } from "./language";
import { paragraphs, quoted } from "./offsets";
import { FailureError, type Service } from "./service";
import { bag, text } from "./shapes";
import { articlePage, byline, published, quoteOf } from "./sources";
import type { Citation, Passage } from "./widget";

export class Reader {
  readonly element: HTMLElement;
  #title = h("h3", { id: "reader-title", tabindex: -1, dir: "auto" });
  #byline = h("p");
  #text = h("div", {
    part: "article",
    class: "article",
    role: "group",
    "aria-labelledby": "reader-title",
    tabindex: 0,
  });
  #links = h("p", { class: "links" });
  #trigger: HTMLElement | null = null;
  #opening: AbortController | null = null;

  constructor(
    readonly words: Language,
    readonly service: Service,
    /** the reader was opened or closed */
    readonly changed: () => void,
    /** the focus went back to what had opened it */
    readonly returned: () => void,
  ) {
    const back = button("back", words.say("back"), () => this.close(), { class: "plain" });
    this.element = h(
      "section",
      { part: "reader", class: "reader", "aria-labelledby": "reader-title", hidden: true },
      h("header", { class: "reader-header" }, back, this.#title, this.#byline),
      this.#text,
      this.#links,
    );
  }

  get shown(): boolean {
    return !this.element.hidden;
  }

  /** Show a source in its article; the focus returns to `trigger` when the reader is closed. */
  async open(source: Citation | Passage, trigger: HTMLElement): Promise<void> {
    this.#opening?.abort();
    const mine = (this.#opening = new AbortController());
    this.#trigger = trigger;
    this.#introduce(source);
    this.element.hidden = false;
    this.changed();
    this.#title.focus({ preventScroll: true });
    try {
      const path = `/v1/articles/${encodeURIComponent(source.article_id)}`;
      const response = await this.service.request(path, { signal: mine.signal });
      const article = bag(await response.json());
      if (!mine.signal.aborted) this.#show(text(article.text), text(article.language), source);
    } catch (error) {
      if (!mine.signal.aborted) this.#fail(error);
    }
  }

  close(): void {
    if (!this.shown) return;
    this.#opening?.abort();
    this.element.hidden = true;
    this.changed();
    if (this.#trigger?.isConnected) this.#trigger.focus();
    this.returned();
  }

  #introduce(source: Citation | Passage): void {
    const { words } = this;
    this.#title.textContent = source.title ?? words.say("untitled");
    this.#byline.replaceChildren(byline(source, words));
    this.#text.replaceChildren(h("p", { class: "quiet" }, words.say("opening")));
    const out = (href: string | null, word: "published" | "page"): Node | false =>
      !!href && outward(href, words.say(word), words);
    const page = articlePage(this.service.src, source);
    this.#links.replaceChildren(
      ...[out(published(source), "published"), out(page, "page")].filter((link) => !!link),
    );
  }

  #show(whole: string, language: string, source: Citation | Passage): void {
    const span = quoted(whole, source.start, source.end, quoteOf(source));
    const lost = h("p", { part: "notice", class: "notice", role: "note" }, this.words.say("lost"));
    const laid = paragraphs(whole).map(([from, to]) => {
      const [start, end] = span ?? [to, to];
      const [a, b] = [Math.min(Math.max(start, from), to), Math.min(Math.max(end, from), to)];
      const marked = a < b && h("mark", { part: "mark" }, whole.slice(a, b));
      return h("p", { dir: "auto" }, whole.slice(from, a), marked, whole.slice(b, to));
    });
    this.#text.replaceChildren(...(span ? [] : [lost]), ...laid);
    this.#text.lang = language;
    this.#text.scrollTop = 0;
    const mark = this.#text.querySelector("mark");
    if (!mark) return;
    const room = this.#text.clientHeight - mark.offsetHeight;
    this.#text.scrollTop = mark.offsetTop - Math.max(room / 3, 0);
    mark.scrollIntoView({ block: "nearest" }); // the page too, where the panel is out of sight
  }

  #fail(error: unknown): void {
    const gone = error instanceof FailureError && error.failure.status === 404;
    const said = this.words.say(gone ? "gone" : "articleFailed");
    this.#text.replaceChildren(h("p", { part: "notice", class: "notice", role: "alert" }, said));
  }
}

/** A link that leaves the page where it is. */
export function outward(href: string, label: string, words: Language): HTMLAnchorElement {
  const title = words.say("newTab");
  return h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", title }, label);
}
