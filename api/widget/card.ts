/** The card of a citation: its quotation and where that stands, beside its button. */
import { h, sheet } from "./dom";
import type { Language } from "./language";
import { byline } from "./sources";
import type { Citation } from "./widget";

const LINGER_MS = 200; // so that a pointer can move from the button into the card
const GAP_PX = 6;

export class Card {
  readonly element: HTMLElement;
  /** Where the card is; a rule of its own, since a strict policy takes no style attributes. */
  readonly place = sheet(".card{}");
  #owner: HTMLElement | null = null;
  #leaving = 0;
  #open: (() => void) | null = null;

  constructor(readonly words: Language) {
    this.element = h("div", {
      id: "card",
      part: "card",
      class: "card",
      role: "tooltip",
      popover: "manual", // above whatever clips or covers the panel
      pointerenter: () => clearTimeout(this.#leaving),
      pointerleave: () => this.leave(),
      pointerdown: (event: PointerEvent) => event.preventDefault(), // the focus stays
      click: () => this.#open?.(),
    });
  }

  /** The button whose card is shown. */
  get owner(): HTMLElement | null {
    return this.#owner;
  }

  /** Show a citation's card at its button; `open` is what a click on the card does. */
  show(owner: HTMLElement, citation: Citation, open: () => void): void {
    clearTimeout(this.#leaving);
    if (this.#owner === owner) return;
    this.hide();
    this.#owner = owner;
    this.#open = open;
    this.element.replaceChildren(
      h("blockquote", { dir: "auto" }, citation.quote),
      h("p", { class: "origin", dir: "auto" }, citation.title && h("cite", {}, citation.title)),
      h("p", {}, byline(citation, this.words)),
      h("p", { class: "follow" }, this.words.say("readIt")),
    );
    this.element.showPopover();
    owner.setAttribute("aria-describedby", "card");
    this.#position(owner);
  }

  /** What is around it has moved: so does the card, or it goes when its button is out of sight. */
  moved(within: Element): void {
    if (!this.#owner) return;
    const [at, box] = [this.#owner.getBoundingClientRect(), within.getBoundingClientRect()];
    if (at.bottom < box.top || at.top > box.bottom) this.hide();
    else this.#position(this.#owner);
  }

  /** The pointer or the focus has left. */
  leave(): void {
    clearTimeout(this.#leaving);
    this.#leaving = window.setTimeout(() => this.hide(), LINGER_MS);
  }

  hide(): void {
    clearTimeout(this.#leaving);
    this.#owner?.removeAttribute("aria-describedby");
    this.#owner = null;
    this.#open = null;
    this.element.hidePopover();
  }

  /** Below the button, or above it where there is more room. */
  #position(owner: HTMLElement): void {
    const rule = this.place.cssRules[0] as CSSStyleRule;
    rule.style.maxHeight = "";
    const at = owner.getBoundingClientRect();
    const card = this.element.getBoundingClientRect();
    const [above, below] = [at.top - 2 * GAP_PX, innerHeight - at.bottom - 2 * GAP_PX];
    const under = card.height <= below || below >= above;
    const height = Math.min(card.height, under ? below : above);
    const top = under ? at.bottom + GAP_PX : at.top - GAP_PX - height;
    const centred = at.left + at.width / 2 - card.width / 2;
    const frame = this.element.parentElement!.getBoundingClientRect();
    const within = Math.max(Math.min(centred, frame.right - card.width - GAP_PX), frame.left + GAP_PX);
    const left = Math.max(Math.min(within, innerWidth - card.width - GAP_PX), GAP_PX);
    rule.style.top = `${Math.round(top)}px`;
    rule.style.left = `${Math.round(left)}px`;
    rule.style.maxHeight = `${Math.floor(height)}px`;
  }
}
