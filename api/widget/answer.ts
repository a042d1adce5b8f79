/** One question and what came of it: sentences as they arrive, their sources, or why there are none. */
import type { Card } from "./card";
import { Feedback, type Rating } from "./feedback";
import { button, h } from "./dom";
import type { Language, Word } from "./language";
import { markdown, verbatim } from "./markdown";
import { outward } from "./reader";
import type { Service } from "./service";
import { byline, nameOf } from "./sources";
import { copy, permalink, print } from "./copy";
import type { StreamedSentence } from "./shapes";
import type { Answer, Citation, Conflict, Failure, Passage, Sentence } from "./widget";

const OUTLETS_NAMED = 3;
const RETRIED: ReadonlySet<Failure["kind"]> = new Set([
  "offline",
  "unreachable",
  "limit",
  "server",
  "cut",
]);
const FALLBACKS: readonly string[] = ["llm_unavailable", "llm_unsupported", "llm_refused"];

/** What a turn needs of the panel that it stands in. */
export interface Panel {
  words: Language;
  service: Service;
  card: Card;
  /** say something to those who don't see it */
  announce(text: string): void;
  /** open a source in the reader */
  follow(source: Citation | Passage, answerId: string, trigger: HTMLElement): void;
  /** ask a turn's question again, in its place */
  again(turn: Turn): void;
  rated(rating: Rating): void;
}

export class Turn {
  readonly element: HTMLElement;
  #text = h("div", { class: "text", dir: "auto" });
  #below = h("div", { class: "below" });
  #citations = new Map<number, Citation>();
  #shown = 0;
  #answerId = "";
  #clock = 0;

  constructor(
    readonly question: string,
    readonly panel: Panel,
  ) {
    const answer = h("div", { part: "answer", class: "answer" }, this.#text, this.#below);
    const title = h("h3", { part: "question", class: "question", dir: "auto" }, question);
    this.element = h("article", { class: "turn" }, title, answer);
  }

  /** Nothing is known yet. */
  searching(): void {
    this.#think(this.panel.words.say("searching"));
  }

  /** These passages are read. */
  reading(passages: Passage[]): void {
    const { words } = this.panel;
    const names = passages.map((one) => one.outlet ?? one.title ?? one.article_id);
    const listed = words.list([...new Set(names)], OUTLETS_NAMED);
    if (passages.length) this.#think(words.count("reading", passages.length, { names: listed }));
  }

  sentence(sentence: StreamedSentence): void {
    this.#know(sentence.new_citations);
    this.#append(sentence);
  }

  /** All is there. */
  finish(answer: Answer): void {
    this.#answerId = answer.id;
    this.#know(answer.citations);
    if (this.#shown !== answer.sentences.length) {
      this.#text.replaceChildren();
      answer.sentences.forEach((one) => this.#append(one));
    }
    const abstained = answer.status === "abstained";
    if (abstained) this.#abstain(answer);
    this.#end(
      ...this.#notes(answer),
      ...answer.conflicts.map((conflict) => this.#conflict(conflict)),
      abstained ? this.#nearest(answer.nearest) : this.#sources(answer.citations),
      this.#toolbar(answer),
    );
  }

  /** What a finished answer is announced as. */
  summary(answer: Answer): string {
    const { words } = this.panel;
    if (answer.status === "abstained") return `${words.say("abstained")}. ${answer.text}`;
    return words.say("ready", {
      sentences: words.count("sentences", answer.sentences.length),
      sources: words.count("sourceCount", answer.citations.length),
    });
  }

  /** The reader stopped it. */
  stopped(): void {
    const again = this.#again();
    this.#end(h("div", { part: "notice", class: "notice" }, h("p", {}, this.panel.words.say("stopped")), again));
  }

  fail(failure: Failure): void {
    const { words } = this.panel;
    const kind = failure.kind as Exclude<Failure["kind"], "load">;
    const again = RETRIED.has(kind) && this.#again();
    const wait = h("p", { class: "wait" });
    const told = kind !== "limit" && kind !== "offline" && failure.detail;
    const request = told && failure.requestId && words.say("request", { id: failure.requestId });
    this.#end(
      h(
        "div",
        { part: "notice", class: "notice", "data-kind": kind },
        h("p", {}, h("strong", {}, words.say(kind))),
        told && h("p", { dir: "auto" }, failure.detail),
        failure.wait ? wait : null,
        again,
        request && h("p", { class: "quiet" }, request),
      ),
    );
    if (failure.wait && again) this.#countDown(failure.wait, wait, again);
  }

  /** The turn is taken away. */
  remove(): void {
    clearInterval(this.#clock);
    this.element.remove();
  }

  #think(said: string): void {
    const pulse = h("span", { class: "pulse", "aria-hidden": "true" });
    this.#below.replaceChildren(h("p", { class: "thinking", dir: "auto" }, pulse, said));
  }

  #end(...shown: (HTMLElement | null)[]): void {
    this.#below.replaceChildren(...shown.filter((one) => one !== null));
  }

  #know(citations: Citation[]): void {
    for (const one of citations) this.#citations.set(one.number, one);
  }

  #append(sentence: Sentence): void {
    const said = sentence.support === "exact" ? verbatim(sentence.text) : markdown(sentence.text);
    const cites = h("span", { class: "cites" }, "\u2060", ...this.#buttons(sentence.citations));
    this.#text.append(h("span", { part: "sentence", class: "sentence" }, ...said, cites), " ");
    this.#shown++;
  }

  #buttons(numbers: number[]): HTMLElement[] {
    const known = numbers.map((number) => this.#citations.get(number));
    return known.filter((one) => one !== undefined).map((citation) => this.#button(citation));
  }

  /** The card comes by pointer, focus or a first tap; a click, or a second tap, opens the reader. */
  #button(citation: Citation): HTMLElement {
    const { words, card } = this.panel;
    const name = words.say("source", { n: citation.number, name: nameOf(citation, words) });
    const open = (): void => this.panel.follow(citation, this.#answerId, shown);
    const show = (): void => card.show(shown, citation, open);
    let touched = false;
    const shown = button("citation", `${citation.number}`, () => {
      if (touched) show();
      else open();
      touched = false;
    }, {
      "aria-label": name,
      pointerenter: (event: PointerEvent) => event.pointerType === "mouse" && show(),
      pointerleave: (event: PointerEvent) => event.pointerType === "mouse" && card.leave(),
      pointerdown: (event: PointerEvent) => {
        touched = event.pointerType === "touch" && card.owner !== shown;
      },
      focus: show,
      blur: () => card.leave(),
    });
    return shown;
  }

  #abstain(answer: Answer): void {
    const title = h("p", { class: "kicker" }, this.panel.words.say("abstained"));
    this.#text.replaceChildren(title, h("p", { part: "sentence" }, answer.text));
  }

  #notes(answer: Answer): HTMLElement[] {
    const { words } = this.panel;
    const notes: string[] = [];
    const { fallback } = answer;
    if (fallback && FALLBACKS.includes(fallback)) notes.push(words.say(fallback as Word));
    if (answer.withheld > 0) notes.push(words.count("withheld", answer.withheld));
    return notes.map((note) => h("p", { part: "notice", class: "note" }, note));
  }

  #conflict(conflict: Conflict): HTMLElement {
    const { words } = this.panel;
    const changed = conflict.kind === "changed";
    const times: Word[] = ["earlier", "later"];
    const sides = conflict.sides.map((side, index) => {
      const cited = side.map((number) => this.#citations.get(number)).filter((one) => !!one);
      const quotes = cited.map((one) => [
        h("p", {}, this.#button(one), " ", byline(one, words)),
        h("blockquote", { dir: "auto" }, one.quote),
      ]);
      const time = changed && times[index];
      return h("li", {}, time && h("p", { class: "kicker" }, words.say(time)), ...quotes.flat());
    });
    const title = h("h4", {}, words.say(changed ? "changed" : "disagree"));
    return h("section", { part: "conflicts", class: "conflicts" }, title, h("ul", {}, ...sides));
  }

  #sources(citations: Citation[]): HTMLElement | null {
    if (!citations.length) return null;
    const { words } = this.panel;
    const items = citations.map((citation) => {
      const name = citation.title ?? nameOf(citation, words);
      return this.#source(citation, h("span", { class: "number" }, `${citation.number}`), name);
    });
    const title = h("h4", {}, words.say("sources"));
    return h("section", { part: "sources", class: "sources" }, title, h("ol", {}, ...items));
  }

  #nearest(passages: Passage[]): HTMLElement | null {
    if (!passages.length) return null;
    const { words } = this.panel;
    const items = passages.map((passage) => {
      const text = h("blockquote", { dir: "auto" }, passage.text);
      return this.#source(passage, text, passage.title ?? words.say("readIt"));
    });
    const title = h("h4", {}, words.say("nearest"));
    return h("section", { part: "nearest", class: "nearest" }, title, h("ul", {}, ...items));
  }

  #source(source: Citation | Passage, before: HTMLElement, name: string): HTMLElement {
    const open = button("source", name, () => this.panel.follow(source, this.#answerId, open), {
      class: "plain",
      dir: "auto",
    });
    const where = h("span", { class: "origin" }, open, byline(source, this.panel.words));
    return h("li", {}, before, where);
  }

  #toolbar(answer: Answer): HTMLElement {
    const { words, service } = this.panel;
    const copying = button("copy", words.say("copy"), () => void this.#copy(answer, copying), {
      class: "plain",
    });
    const printing = button("print", words.say("print"), () => print(answer, service.src, words), {
      class: "plain",
    });
    const link = permalink(answer, service.src);
    const feedback = new Feedback(words, service, answer.id, (rating) => this.panel.rated(rating));
    return h(
      "div",
      { part: "toolbar", class: "toolbar" },
      h("div", {}, copying, printing, link && outward(link, words.say("link"), words)),
      answer.id && feedback.element,
    );
  }

  async #copy(answer: Answer, shown: HTMLElement): Promise<void> {
    const { words, service, announce } = this.panel;
    const said = words.say((await copy(answer, service.src, words)) ? "copied" : "copyFailed");
    shown.textContent = said;
    announce(said);
    setTimeout(() => (shown.textContent = words.say("copy")), 2000);
  }

  #again(): HTMLButtonElement {
    return button("again", this.panel.words.say("again"), () => this.panel.again(this));
  }

  /** Until it is over, the question cannot be asked again. */
  #countDown(wait: number, shown: HTMLElement, again: HTMLButtonElement): void {
    const { words } = this.panel;
    const until = Date.now() + wait * 1000;
    const tick = (): void => {
      const left = Math.ceil((until - Date.now()) / 1000);
      again.disabled = left > 0;
      shown.textContent = left > 0 ? words.say("wait", { time: words.seconds(left) }) : "";
      if (left <= 0) clearInterval(this.#clock);
    };
    this.#clock = window.setInterval(tick, 1000);
    tick();
  }
}
