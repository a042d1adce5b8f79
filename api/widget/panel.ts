/** The panel: its title, the conversation, and the field to ask in. */
import { button, h } from "./dom";
import type { Language } from "./language";

/** What the panel does when it is used. */
export interface Actions {
  ask(question: string): void;
  stop(): void;
  fresh(): void;
  close(): void;
}

/** The parts of a panel that change. */
export interface Frame {
  panel: HTMLElement;
  talk: HTMLElement;
  log: HTMLElement;
  empty: HTMLElement;
  input: HTMLTextAreaElement;
  send: HTMLButtonElement;
  stop: HTMLButtonElement;
  fresh: HTMLButtonElement;
  status: HTMLElement;
}

/** Build it; `floating` is a dialog, else it is a region of the page. */
export function frame(
  words: Language,
  suggestions: string[],
  floating: boolean,
  actions: Actions,
): Frame {
  const input = question(words);
  const send = h("button", { type: "submit", part: "send", class: "send" }, words.say("send"));
  const stop = button("stop", words.say("stop"), () => actions.stop(), { hidden: true });
  const fresh = button("fresh", words.say("fresh"), () => actions.fresh(), {
    class: "plain",
    hidden: true,
  });
  const close = button("close", "×", () => actions.close(), { "aria-label": words.say("close") });
  const composer = h("form", { part: "composer", class: "composer" }, h("div", { class: "field" }, input, send, stop));
  const submit = (event: Event): void => {
    event.preventDefault();
    const asked = input.value.trim();
    if (!asked || send.hidden) return;
    input.value = "";
    actions.ask(asked);
  };
  composer.addEventListener("submit", submit);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) submit(event);
  });
  const empty = introduction(words, suggestions, actions);
  const log = h("div", {
    part: "log",
    class: "log",
    role: "log",
    "aria-live": "off", // what is finished is announced once, by the status
    "aria-label": words.say("log"),
    tabindex: 0,
  }, empty);
  const title = h("h2", { id: "title" }, words.say("title"));
  const header = h("header", { part: "header", class: "header" }, title, fresh, floating && close);
  const talk = h("div", { class: "talk" }, header, log, composer);
  const status = h("p", { role: "status", class: "unseen" });
  const panel = h("div", {
    part: "panel",
    class: "panel",
    role: floating ? "dialog" : "region",
    "aria-labelledby": "title",
    lang: words.tag,
    dir: words.direction,
  }, talk, status);
  return { panel, talk, log, empty, input, send, stop, fresh, status };
}

function question(words: Language): HTMLTextAreaElement {
  return h("textarea", {
    part: "input",
    class: "input",
    rows: 1,
    maxlength: 2000,
    dir: "auto",
    autocomplete: "off",
    enterkeyhint: "send",
    "aria-label": words.say("label"),
    placeholder: words.say("placeholder"),
  });
}

function introduction(words: Language, suggestions: string[], actions: Actions): HTMLElement {
  const choices = suggestions.map((text) =>
    h("li", {}, button("suggestion", text, () => actions.ask(text), { dir: "auto" })),
  );
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "intro" }, words.say("intro")),
    choices.length > 0 &&
      h(
        "div",
        { part: "suggestions", class: "suggestions" },
        h("p", { class: "kicker" }, words.say("suggestions")),
        h("ul", {}, ...choices),
      ),
  );
}
