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

/** 53 bits of a text (cyrb53, public domain): a name from which a key cannot be read. */
function digest(text: string): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 2654435761);
    b = Math.imul(b ^ text.charCodeAt(i), 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}
