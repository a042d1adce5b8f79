/** The public types of `<dateline-chat>`: its methods, its events and what they carry. */

export interface Source {
  article_id: string;
  chunk_id: string;
  title: string | null;
  outlet: string | null;
  author: string | null;
  /** ISO 8601 */
  published_at: string | null;
  url: string | null;
  /** where it begins and ends in the article's text, in Unicode code points */
  start: number;
  end: number;
}

export interface Citation extends Source {
  number: number;
  quote: string;
  prefix: string;
  suffix: string;
}

export interface Passage extends Source {
  rank: number;
  text: string;
}

export interface Sentence {
  text: string;
  support: "exact" | "supported";
  /** numbers of citations */
  citations: number[];
}

export interface Conflict {
  kind: string;
  /** the numbers of the citations of either side */
  sides: number[][];
}

/** The answer of `POST /v1/ask`, as far as the widget shows it. */
export interface Answer {
  id: string;
  question: string;
  status: "answered" | "abstained";
  text: string;
  sentences: Sentence[];
  citations: Citation[];
  nearest: Passage[];
  conflicts: Conflict[];
  withheld: number;
  fallback: string | null;
}

/** Why a question, an article or a rating was not served. */
export interface Failure {
  /** offline: no network · unreachable: no response · key: refused (401, 403) · limit: too many
   * questions (429) · invalid: a request that is not taken (4xx) · server: 5xx · cut: the answer
   * broke off · load: the widget itself could not be loaded */
  kind: "offline" | "unreachable" | "key" | "limit" | "invalid" | "server" | "cut" | "load";
  status: number | null;
  title: string;
  detail: string;
  requestId: string | null;
  /** seconds until the service takes questions again */
  wait: number | null;
}

export interface DatelineEvents {
  /** The element is in the page, and its methods can be called. */
  "dateline:ready": CustomEvent<null>;
  /** A question goes out. */
  "dateline:ask": CustomEvent<{ question: string }>;
  /** An answer is complete; `status` tells whether the articles say. */
  "dateline:answer": CustomEvent<{ answer: Answer }>;
  /** A source is about to be opened; preventDefault() keeps the widget's reader closed. */
  "dateline:citation": CustomEvent<{ source: Citation | Passage; answerId: string }>;
  /** A rating was stored. */
  "dateline:feedback": CustomEvent<{
    answerId: string;
    rating: "up" | "down";
    reason: string | null;
    note: string | null;
  }>;
  "dateline:error": CustomEvent<Failure>;
}

/** What the widget says, in one language. `{name}` stands for what is filled in; the values of
 * `Forms` are by plural category (Intl.PluralRules), `other` at least. */
export type Forms = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

export interface Strings {
  /** the button that opens the floating panel */
  launcher: string;
  title: string;
  intro: string;
  label: string;
  placeholder: string;
  send: string;
  stop: string;
  close: string;
  fresh: string;
  log: string;
  suggestions: string;
  searching: string;
  /** {names} of the outlets that are read */
  reading: Forms;
  /** at the end of the names of outlets */
  more: Forms;
  /** a citation's name: {n}, {name} */
  source: string;
  sources: string;
  readIt: string;
  abstained: string;
  nearest: string;
  disagree: string;
  changed: string;
  earlier: string;
  later: string;
  withheld: Forms;
  llm_unavailable: string;
  llm_unsupported: string;
  llm_refused: string;
  stopped: string;
  again: string;
  offline: string;
  unreachable: string;
  limit: string;
  /** {time} until one can ask again */
  wait: string;
  key: string;
  server: string;
  cut: string;
  invalid: string;
  request: string;
  /** {sentences} from {sources} */
  ready: string;
  sentences: Forms;
  sourceCount: Forms;
  copy: string;
  copied: string;
  copyFailed: string;
  print: string;
  link: string;
  newTab: string;
  helpful: string;
  up: string;
  down: string;
  thanks: string;
  why: string;
  wrong: string;
  offTopic: string;
  outdated: string;
  sourceWrong: string;
  other: string;
  note: string;
  submit: string;
  cancel: string;
  feedbackFailed: string;
  opening: string;
  articleFailed: string;
  gone: string;
  lost: string;
  untitled: string;
  published: string;
  page: string;
  back: string;
}

/** `<dateline-chat src key lang theme suggestions layout user open>`; every attribute may also be
 * written `data-…`. */
export interface DatelineChatElement extends HTMLElement {
  /** Open the floating panel and put the focus into it. */
  open(): void;
  /** Close it; the focus returns to where it was. */
  close(): void;
  /** Open the panel and ask; an answer under way is stopped. */
  ask(question: string): void;
}

export interface DatelineChatConstructor {
  new (): DatelineChatElement;
  /** Add a language, or change some strings of one; what is missing stays English. */
  addStrings(language: string, strings: Partial<Strings>): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "dateline-chat": DatelineChatElement;
  }
  interface HTMLElementEventMap extends DatelineEvents {}
  interface DocumentEventMap extends DatelineEvents {}
}
