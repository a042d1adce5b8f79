/** `widget.<hash>.js`: all that the element does. Loaded alone, it makes the element known itself. */
import { type Panel, Turn } from "./answer";
import { Card } from "./card";
import { sheet } from "./dom";
import { History } from "./history";
import { focused, keepWithin } from "./keyboard";
import { Language } from "./language";
import { type Frame, frame } from "./panel";
import panelCss from "./panel.css";
import { Reader } from "./reader";
import { failure, FailureError, Service } from "./service";
import { type Chat, define, type Host, language } from "./shell";
import { ask } from "./stream";
import type { Answer, DatelineEvents } from "./widget";

type Detail<K extends keyof DatelineEvents> = DatelineEvents[K]["detail"];

class Conversation implements Chat {
  #host: Host;
  #built = "";
  #floating = true;
  #history!: History;
  #frame!: Frame;
  #reader!: Reader;
  #panel!: Panel;
  #asking: AbortController | null = null;
  #before: HTMLElement | null = null;
  #scrolled = 0;
  #leave = new AbortController();
  #sheet = sheet(panelCss);
  #watch = new ResizeObserver(() => this.#cover());

  constructor(host: Host) {
    this.#host = host;
    this.#update();
    new MutationObserver(() => this.#update()).observe(host.element, { attributes: true });
  }

  /** Build all anew if what it goes by has changed. */
  #update(): void {
    const host = this.#host;
    const names = ["src", "key", "suggestions", "layout", "user"];
    const built = JSON.stringify([language(host), ...names.map(host.get)]);
    if (built !== this.#built) this.#build();
    this.#built = built;
    this.#cover();
  }

  open(): void {
    if (this.#floating) {
      if (!this.#shown) this.#before = focused();
      this.#host.element.setAttribute("open", "");
    }
    this.#cover();
    this.#frame.input.focus();
  }

  close(): void {
    if (!this.#floating) return;
    const had = this.#host.root.activeElement !== null;
    this.#panel.card.hide();
    this.#host.element.removeAttribute("open");
    const back = this.#before?.isConnected ? this.#before : this.#host.launcher;
    if (had) (back.getClientRects().length ? back : this.#host.launcher).focus();
    this.#before = null;
  }

  ask(question: string): void {
    const asked = question.trim();
    if (this.#floating && !this.#shown) this.open();
    if (asked) void this.#ask(new Turn(asked, this.#panel));
  }

  stop(): void {
    this.#asking?.abort();
  }

  get #shown(): boolean {
    return this.#host.element.hasAttribute("open");
  }

  #build(): void {
    this.stop();
    this.#frame?.panel.remove();
    const { get, root, added } = this.#host;
    const words = new Language(language(this.#host), added);
    const service = new Service(this.#src(), get("key") || null);
    this.#floating = get("layout") !== "inline";
    this.#history = new History(service.src, service.key, get("user") ?? null);
    const suggestions = (get("suggestions") ?? "").split("|").map((one) => one.trim());
    this.#frame = frame(words, suggestions.filter(Boolean), this.#floating, {
      ask: (question) => this.ask(question),
      stop: () => this.stop(),
      fresh: () => this.#forget(),
      close: () => this.close(),
    });
    this.#panel = this.#context(words, service);
    const { card } = this.#panel;
    this.#reader = new Reader(words, service, () => this.#cover(), () => card.hide());
    const { panel, log } = this.#frame;
    panel.append(this.#reader.element, card.element);
    panel.addEventListener("keydown", (event) => this.#key(event));
    const moved = (): void => card.moved(log);
    log.addEventListener("scroll", moved, { passive: true });
    this.#leave.abort();
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    addEventListener("scroll", moved, { passive: true, capture: true, signal });
    root.adoptedStyleSheets = [root.adoptedStyleSheets[0]!, this.#sheet, card.place];
    root.append(panel);
    this.#watch.disconnect();
    this.#watch.observe(panel);
    for (const answer of this.#history.answers) this.#restore(answer);
    log.scrollTop = log.scrollHeight;
  }

  /** Where the service is: as the page says, else where the script is from. */
  #src(): string {
    const { get, script } = this.#host;
    const given = get("src");
    const address = given ? new URL(given, document.baseURI) : new URL(".", script);
    return (address.origin + address.pathname).replace(/\/+$/, "");
  }

  #context(words: Language, service: Service): Panel {
    return {
      words,
      service,
      card: new Card(words),
      announce: (text) => (this.#frame.status.textContent = text),
      follow: (source, answerId, trigger) => {
        this.#panel.card.hide();
        if (this.#emit("citation", { source, answerId })) void this.#reader.open(source, trigger);
      },
      again: (turn) => void this.#ask(new Turn(turn.question, this.#panel), turn),
      rated: (rating) => this.#emit("feedback", rating),
    };
  }

  async #ask(turn: Turn, instead?: Turn): Promise<void> {
    this.stop();
    const mine = (this.#asking = new AbortController());
    const { service, announce } = this.#panel;
    this.#begin(turn, instead);
    try {
      for await (const event of ask(service, turn.question, this.#history.turns(), mine.signal)) {
        mine.signal.throwIfAborted();
        if (event.name === "passages") turn.reading(event.passages);
        else if (event.name === "sentence") turn.sentence(event.sentence);
        else this.#finish(turn, event.answer);
        this.#follow(turn);
      }
    } catch (error) {
      if (!mine.signal.aborted) this.#fail(turn, error);
      else {
        turn.stopped();
        if (this.#asking === mine) announce(this.#panel.words.say("stopped"));
      }
    } finally {
      if (this.#asking === mine) this.#rest();
    }
  }

  #begin(turn: Turn, instead?: Turn): void {
    const { log, empty, send, stop, fresh, status, input } = this.#frame;
    const had = this.#host.root.activeElement;
    empty.remove();
    if (instead) instead.element.before(turn.element);
    else log.append(turn.element);
    const lost = had && (instead?.element.contains(had) || empty.contains(had) || had === send);
    instead?.remove();
    turn.searching();
    log.setAttribute("aria-busy", "true");
    status.textContent = "";
    [send.hidden, stop.hidden, fresh.hidden] = [true, false, false];
    if (this.#reader.shown && this.#frame.talk.inert) this.#reader.close();
    if (lost) input.focus();
    this.#scrolled = log.scrollTop;
    this.#follow(turn);
    this.#emit("ask", { question: turn.question });
  }

  /** Keep the question at the top while its answer grows, until the reader scrolls elsewhere. */
  #follow(turn: Turn): void {
    const { log } = this.#frame;
    if (Math.abs(log.scrollTop - this.#scrolled) > 2) return;
    log.scrollTop = turn.element.offsetTop;
    this.#scrolled = log.scrollTop;
  }

  #finish(turn: Turn, answer: Answer): void {
    turn.finish(answer);
    this.#history.add(answer);
    this.#panel.announce(turn.summary(answer));
    this.#emit("answer", { answer });
  }

  #fail(turn: Turn, error: unknown): void {
    const known = error instanceof FailureError;
    if (!known) reportError(error);
    const told = known ? error.failure : failure("cut").failure;
    turn.fail(told);
    this.#follow(turn);
    if (told.kind !== "load") this.#panel.announce(this.#panel.words.say(told.kind));
    this.#emit("error", told);
  }

  #rest(): void {
    const { log, send, stop, input } = this.#frame;
    const had = this.#host.root.activeElement === stop;
    this.#asking = null;
    log.removeAttribute("aria-busy");
    [send.hidden, stop.hidden] = [false, true];
    if (had) input.focus();
  }

  #restore(answer: Answer): void {
    const { log, empty, fresh } = this.#frame;
    const turn = new Turn(answer.question, this.#panel);
    turn.finish(answer);
    empty.remove();
    fresh.hidden = false;
    log.append(turn.element);
  }

  #forget(): void {
    const { log, empty, fresh, input, status } = this.#frame;
    this.stop();
    this.#reader.close();
    this.#history.clear();
    log.replaceChildren(empty);
    fresh.hidden = true;
    status.textContent = "";
    input.focus();
  }

  /** Where the reader covers the conversation, that is out of reach; on a phone so is the page. */
  #cover(): void {
    const { panel, talk } = this.#frame;
    const style = getComputedStyle(this.#reader.element);
    talk.inert = this.#reader.shown && style.position === "absolute";
    panel.classList.toggle("reading", this.#reader.shown);
    const whole = this.#floating && panel.clientWidth >= document.documentElement.clientWidth;
    if (whole) panel.setAttribute("aria-modal", "true");
    else panel.removeAttribute("aria-modal");
  }

  #key(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.isComposing) this.#escape(event);
    else if (this.#floating) keepWithin(this.#frame.panel, event);
  }

  /** What was opened last is closed first. */
  #escape(event: Event): void {
    const { card } = this.#panel;
    if (card.owner) card.hide();
    else if (this.#reader.shown) this.#reader.close();
    else if (this.#floating) this.close();
    else return;
    event.stopPropagation();
    event.preventDefault();
  }

  /** Whether the page let it pass. */
  #emit<K extends "ask" | "answer" | "citation" | "feedback" | "error">(
    name: K,
    detail: Detail<`dateline:${K}`>,
  ): boolean {
    const cancelable = name === "citation";
    const event = new CustomEvent(`dateline:${name}`, {
      detail,
      cancelable,
      bubbles: true,
      composed: true,
    });
    return this.#host.element.dispatchEvent(event);
  }
}

/** Put the panel into an element. */
export function mount(host: Host): Chat {
  return new Conversation(host);
}

define(() => Promise.resolve({ mount }), import.meta.url);
