/** The conversation, kept in the page's own storage: for each service, key and user. */
import * as shapes from "./shapes";
import type { Turn } from "./stream";
import type { Answer } from "./widget";

const VERSION = 1;
const MOST_ANSWERS = 30;
const MOST_CHARACTERS = 400_000;
const REMEMBERED = 6; // answers that a follow-up is asked with

export class History {
  #name: string;
  #answers: Answer[];

  constructor(src: string, key: string | null, user: string | null) {
    this.#name = `dateline:${digest([src, key, user].join("\n"))}`;
    this.#answers = this.#read();
  }

  get answers(): readonly Answer[] {
    return this.#answers;
  }

  /** The last turns, as the service takes them. */
  turns(): Turn[] {
    return this.#answers.slice(-REMEMBERED).flatMap(({ question, text }) => [
      { role: "user" as const, content: question },
      { role: "assistant" as const, content: text },
    ]);
  }

  add(answer: Answer): void {
    this.#answers = [...this.#answers, answer].slice(-MOST_ANSWERS);
    this.#write();
  }

  clear(): void {
    this.#answers = [];
    try {
      localStorage.removeItem(this.#name);
    } catch {
      // Storage is denied: there is nothing in it.
    }
  }

  #read(): Answer[] {
    try {
      const stored = shapes.bag(JSON.parse(localStorage.getItem(this.#name) ?? "null"));
      if (stored.version !== VERSION || !Array.isArray(stored.answers)) return [];
      return stored.answers.slice(-MOST_ANSWERS).map(shapes.answer);
    } catch {
      return []; // denied, or not ours
    }
  }

  /** The newest answers that there is room for. */
  #write(): void {
    for (let answers = this.#answers; answers.length; answers = answers.slice(1)) {
      const document = JSON.stringify({ version: VERSION, answers });
      if (document.length > MOST_CHARACTERS) continue;
      try {
        localStorage.setItem(this.#name, document);
        return;
      } catch (error) {
        if (!(error instanceof DOMException && error.name === "QuotaExceededError")) return;
      }
    }
  }
}

/** 64 bits of a text (FNV-1a, from two bases): a name from which a key cannot be read. */
function digest(text: string): string {
  const half = (basis: number): string => {
    let hash = basis;
    for (const one of text) hash = Math.imul(hash ^ one.codePointAt(0)!, 16777619);
    return (hash >>> 0).toString(36);
  };
  return half(2166136261) + half(40389);
}
