/** The element itself: little enough that a page loads the rest only once a reader opens it. */
import css from "./shell.css";
import { LAUNCHER } from "./strings/launcher";
import type { Failure, Strings } from "./widget";

export const NAME = "dateline-chat";

/** Strings by language. */
export type Added = Record<string, Partial<Strings>>;

/** What the rest gets of the element. */
export interface Host {
  element: HTMLElement;
  root: ShadowRoot;
  launcher: HTMLButtonElement;
  /** the strings that the page added */
  added: Added;
  /** the address of the file that made the element known */
  script: string;
  /** the value of an attribute of the element, or else of its script */
  get(name: string): string | null | undefined;
}

/** The rest, over one element. */
export interface Chat {
  open(): void;
  close(): void;
  ask(question: string): void;
  /** The element left the page. */
  stop(): void;
}

export interface Main {
  mount(host: Host): Chat;
}

/** The first wanted language that there are strings of: the element's, the page's, the browser's. */
export function language({ element, added, get }: Host): string {
  const page = (element.closest("[lang]") as HTMLElement | null)?.lang;
  for (const tag of [get("lang"), page, ...navigator.languages]) {
    const whole = tag?.toLowerCase() ?? "";
    for (const one of [whole, whole.split("-")[0]!]) if (LAUNCHER[one] ?? added[one]) return one;
  }
  return "en";
}

/** Make `<dateline-chat>` known, unless it is; `script` is the address of the file, `data` its tag's. */
export function define(
  load: (attempt: number) => Promise<Main>,
  script: string,
  data: DOMStringMap = {},
): void {
  if (customElements.get(NAME)) return;
  const added: Added = {};

  class DatelineChat extends HTMLElement {
    static addStrings(tag: string, some: Partial<Strings>): void {
      added[tag.toLowerCase()] = { ...added[tag.toLowerCase()], ...some };
    }

    static observedAttributes = ["open"];

    #host?: Host;
    #chat: Promise<Chat> | undefined;
    #attempts = 0;

    connectedCallback(): void {
      const { launcher, get } = (this.#host ??= this.#build());
      for (const name of ["layout", "theme"]) {
        const value = get(name);
        if (value) this.setAttribute(name, value); // the style goes by it
      }
      launcher.hidden = get("layout") === "inline";
      this.#label();
      this.#emit("ready", null);
      if (launcher.hidden) this.#call();
    }

    attributeChangedCallback(): void {
      if (this.hasAttribute("open")) this.#call();
    }

    disconnectedCallback(): void {
      if (this.#chat) this.#call("stop");
    }

    open(): void {
      this.#call("open");
    }

    close(): void {
      if (this.#chat) this.#call("close");
    }

    ask(question: string): void {
      this.#call("ask", question);
    }

    #build(): Host {
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(css);
      root.adoptedStyleSheets = [sheet];
      const launcher = document.createElement("button");
      launcher.className = "launcher";
      launcher.part = "launcher";
      launcher.ariaHasPopup = "dialog";
      launcher.onclick = () => this.open();
      root.append(launcher);
      const get: Host["get"] = (name) => this.getAttribute(name) ?? this.dataset[name] ?? data[name];
      return { element: this, root, launcher, added, script, get };
    }

    #label(after = ""): void {
      const { launcher } = this.#host!;
      const tag = (launcher.lang = language(this.#host!));
      launcher.dir = "auto";
      launcher.textContent = (added[tag]?.launcher ?? LAUNCHER[tag] ?? LAUNCHER.en) + after;
    }

    /** Have the rest do something, once it is there. */
    #call(name?: keyof Chat, question = ""): void {
      const host = (this.#host ??= this.#build());
      this.#chat ??= load(this.#attempts++).then((main) => main.mount(host));
      this.#chat.then(
        (chat) => name && chat[name](question),
        (error) => {
          if (!this.#chat) return; // told already
          this.#chat = undefined;
          this.removeAttribute("open");
          host.launcher.hidden = false;
          this.#label(" ↻");
          const unknown = { status: null, requestId: null, wait: null };
          this.#emit("error", { kind: "load", title: "", detail: `${error}`, ...unknown });
        },
      );
    }

    #emit(name: string, detail: Failure | null): void {
      const options = { detail, bubbles: true, composed: true };
      this.dispatchEvent(new CustomEvent(`dateline:${name}`, options));
    }
  }

  customElements.define(NAME, DatelineChat);
}
