/** What comes from the service or from storage, brought into the form that the rest relies on. */
import type { Answer, Citation, Conflict, Passage, Sentence, Source } from "./widget";

type Bag = Record<string, unknown>;

export interface StreamedSentence extends Sentence {
  new_citations: Citation[];
}

export const bag = (value: unknown): Bag => (value && typeof value === "object" ? (value as Bag) : {});
export const text = (value: unknown): string => (typeof value === "string" ? value : "");
const known = (value: unknown): string | null => (typeof value === "string" && value ? value : null);
const number = (value: unknown): number =>
  typeof value === "number" && Number.isFinite(value) ? Math.trunc(value) : 0;

function list<T>(value: unknown, of: (one: unknown) => T): T[] {
  return Array.isArray(value) ? value.map(of) : [];
}

function source(value: Bag): Source {
  return {
    article_id: text(value.article_id),
    chunk_id: text(value.chunk_id),
    title: known(value.title),
    outlet: known(value.outlet),
    author: known(value.author),
    published_at: known(value.published_at),
    url: known(value.url),
    start: number(value.start),
    end: number(value.end),
  };
}

export function citation(value: unknown): Citation {
  const given = bag(value);
  return {
    ...source(given),
    number: number(given.number),
    quote: text(given.quote),
    prefix: text(given.prefix),
    suffix: text(given.suffix),
  };
}

export function passage(value: unknown): Passage {
  const given = bag(value);
  return { ...source(given), rank: number(given.rank), text: text(given.text) };
}

export const passages = (value: unknown): Passage[] => list(value, passage);

export function sentence(value: unknown): StreamedSentence {
  const given = bag(value);
  return {
    text: text(given.text),
    support: given.support === "exact" ? "exact" : "supported",
    citations: list(given.citations, number),
    new_citations: list(given.new_citations, citation),
  };
}

function conflict(value: unknown): Conflict {
  const given = bag(value);
  return { kind: text(given.kind), sides: list(given.sides, (side) => list(side, number)) };
}

export function answer(value: unknown): Answer {
  const given = bag(value);
  return {
    id: text(given.id),
    question: text(given.question),
    status: given.status === "answered" ? "answered" : "abstained",
    text: text(given.text),
    sentences: list(given.sentences, sentence).map(({ new_citations: _, ...plain }) => plain),
    citations: list(given.citations, citation),
    nearest: passages(given.nearest),
    conflicts: list(given.conflicts, conflict),
    withheld: number(given.withheld),
    fallback: known(given.fallback),
  };
}
