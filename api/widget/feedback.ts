/** Whether an answer was helpful, and if not, why. */
import { button, h } from "./dom";
import type { Language, Word } from "./language";
import type { Service } from "./service";

/** What is stored of a reason, and what it is called. */
const REASONS: [string, Word][] = [
  ["wrong", "wrong"],
  ["off-topic", "offTopic"],
  ["outdated", "outdated"],
  ["source", "sourceWrong"],
  ["other", "other"],
];

export interface Rating {
  answerId: string;
  rating: "up" | "down";
  reason: string | null;
  note: string | null;
}

export class Feedback {
  readonly element = h("div", { part: "feedback", class: "feedback" });

  constructor(
    readonly words: Language,
    readonly service: Service,
    readonly answerId: string,
    /** a rating was stored */
    readonly stored: (rating: Rating) => void,
  ) {
    this.#ask();
  }

  #ask(focused = false): void {
    const { words } = this;
    const rate = (word: "up" | "down", click: () => void): HTMLButtonElement =>
      button(word, words.say(word), click, {
        class: "plain",
        "aria-label": `${words.say("helpful")} ${words.say(word)}`,
      });
    const down = rate("down", () => this.#explain());
    this.element.replaceChildren(
      h("span", { "aria-hidden": "true" }, words.say("helpful")),
      rate("up", () => void this.#send("up", null, null)),
      down,
    );
    if (focused) down.focus();
  }

  #explain(): void {
    const { words } = this;
    const note = h("textarea", { rows: 2, maxlength: 2000, "aria-label": words.say("note") });
    note.placeholder = words.say("note");
    const choices = REASONS.map(([value, word], index) =>
      h("label", {}, h("input", { type: "radio", name: "reason", value, checked: !index }), words.say(word)),
    );
    const form = h(
      "form",
      {
        class: "why",
        submit: (event: SubmitEvent) => {
          event.preventDefault();
          const chosen = form.querySelector<HTMLInputElement>("input:checked")?.value;
          void this.#send("down", chosen ?? null, note.value.trim() || null);
        },
      },
      h("fieldset", {}, h("legend", {}, words.say("why")), ...choices),
      note,
      h(
        "p",
        {},
        h("button", { type: "submit", class: "send" }, words.say("submit")),
        button("cancel", words.say("cancel"), () => this.#ask(true), { class: "plain" }),
      ),
    );
    this.element.replaceChildren(form);
    form.scrollIntoView({ block: "nearest" });
    form.querySelector("input")?.focus({ preventScroll: true });
  }

  async #send(rating: "up" | "down", reason: string | null, note: string | null): Promise<void> {
    const given = { answerId: this.answerId, rating, reason, note };
    try {
      await this.service.post("/v1/feedback", { answer_id: this.answerId, rating, reason, note });
      this.#tell("thanks");
      this.stored(given);
    } catch {
      this.#tell("feedbackFailed");
    }
  }

  #tell(word: Word): void {
    const told = h("p", { tabindex: -1 }, this.words.say(word));
    this.element.replaceChildren(told);
    told.focus();
  }
}
