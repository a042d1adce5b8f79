/** An answer as it comes: the events of `POST /v1/ask`. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { failure, problem, type Service } from "./service";
import * as shapes from "./shapes";
import type { Answer, Passage } from "./widget";

export interface Turn {
  role: "user" | "assistant";
  content: string;
}

export type StreamEvent =
  | { name: "passages"; passages: Passage[] }
  | { name: "sentence"; sentence: shapes.StreamedSentence }
  | { name: "done"; answer: Answer };

/** Ask; the last event is `done`, or FailureError is thrown. */
export async function* ask(
  service: Service,
  question: string,
  history: Turn[],
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  const response = await service.request("/v1/ask", {
    method: "POST",
    headers: { Accept: "text/event-stream" },
    body: JSON.stringify({ question, history, stream: true }),
    signal,
  });
  try {
    for await (const message of messages(response)) {
      const event = read(message);
      if (event) yield event;
      if (event?.name === "done") return;
    }
  } catch (error) {
    // What breaks while it is read is the network's doing.
    throw error instanceof TypeError ? failure(navigator.onLine ? "cut" : "offline") : error;
  }
  throw failure("cut");
}

async function* messages(response: Response): AsyncGenerator<EventSourceMessage> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  const ready: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => ready.push(message) });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* ready.splice(0);
    }
  } finally {
    void drained(reader).catch(() => undefined);
  }
}

/** Read what is left: to cancel a stream that ends of itself would look like a failed request. */
async function drained(reader: ReadableStreamDefaultReader): Promise<void> {
  while (!(await reader.read()).done);
}

function read(message: EventSourceMessage): StreamEvent | null {
  const data = parsed(message.data);
  switch (message.event) {
    case "passages":
      return { name: "passages", passages: shapes.passages(data.passages) };
    case "sentence":
      return { name: "sentence", sentence: shapes.sentence(data) };
    case "done":
      return { name: "done", answer: shapes.answer(data) };
    case "error": {
      const status = shapes.bag(data.problem).status;
      throw problem(data.problem, typeof status === "number" ? status : 500);
    }
    default:
      return null;
  }
}

function parsed(data: string): Record<string, unknown> {
  try {
    return shapes.bag(JSON.parse(data));
  } catch {
    throw failure("cut");
  }
}
