/** What is said in the reader's language: strings, plurals, dates, lists. */
import type { Added } from "./shell";
import { ar } from "./strings/ar";
import { en } from "./strings/en";
import { es } from "./strings/es";
import { hi } from "./strings/hi";
import type { PanelStrings } from "./strings/launcher";
import type { Forms, Strings } from "./widget";

const BUILT_IN: Record<string, PanelStrings> = { en, hi, es, ar };
const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"]);

type Key<T> = { [K in keyof Strings]: Strings[K] extends T ? K : never }[keyof Strings];
export type Word = Key<string>;
export type Counted = Exclude<keyof Strings, Word>;
type Values = Record<string, string | number>;

export class Language {
  readonly direction: "ltr" | "rtl";
  #strings: Strings;
  #locale: string;

  constructor(
    readonly tag: string,
    added: Added,
  ) {
    const base = tag.split("-")[0] ?? tag;
    this.direction = RIGHT_TO_LEFT.has(base) ? "rtl" : "ltr";
    this.#locale = tag === "en" ? "en-GB" : tag; // 24 Jan 2025
    this.#strings = Object.assign({ launcher: "", ...en }, BUILT_IN[base], added[base], added[tag]);
  }

  say(word: Word, values: Values = {}): string {
    return filled(this.#strings[word], values);
  }

  /** A string that goes by a number, which it has as {n}. */
  count(word: Counted, n: number, values: Values = {}): string {
    const forms: Forms = this.#strings[word];
    const form = forms[new Intl.PluralRules(this.#locale).select(n)] ?? forms.other;
    return filled(form, { n: new Intl.NumberFormat(this.#locale).format(n), ...values });
  }

  /** The day of an ISO date; what is none stays as it is. */
  date(iso: string | null): string {
    const day = new Date(`${iso?.slice(0, 10)}T00:00:00Z`);
    if (!iso || Number.isNaN(day.getTime())) return iso ?? "";
    const options = { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" } as const;
    return new Intl.DateTimeFormat(this.#locale, options).format(day);
  }

  /** "a, b and c"; of more than `most`, how many more. */
  list(names: string[], most: number): string {
    const left = names.length - most;
    const shown = left > 1 ? [...names.slice(0, most), this.count("more", left)] : names;
    return new Intl.ListFormat(this.#locale).format(shown);
  }

  seconds(n: number): string {
    const options = { style: "unit", unit: "second", unitDisplay: "long" } as const;
    return new Intl.NumberFormat(this.#locale, options).format(n);
  }
}

function filled(text: string, values: Values): string {
  return text.replace(/{(\w+)}/g, (whole, name: string) => `${values[name] ?? whole}`);
}
