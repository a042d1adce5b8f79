/** The service over HTTP, and what its refusals mean. */
import { bag, text } from "./shapes";
import type { Failure } from "./widget";

/** Something was not served. */
export class FailureError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.title);
  }
}

export function failure(kind: Failure["kind"], more: Partial<Failure> = {}): FailureError {
  return new FailureError({
    kind,
    status: null,
    title: "",
    detail: "",
    requestId: null,
    wait: null,
    ...more,
  });
}

/** A problem (RFC 9457) as a failure. */
export function problem(document: unknown, status: number, wait: number | null = null): FailureError {
  const given = bag(document);
  return failure(kindOf(status), {
    status,
    title: text(given.title),
    detail: text(given.detail),
    requestId: text(given.request_id) || null,
    wait,
  });
}

export class Service {
  constructor(
    readonly src: string,
    readonly key: string | null,
  ) {}

  /** The address of something of the service. */
  address(path: string): string {
    return this.src + path;
  }

  /** A response that is good; throws FailureError, or AbortError if it was stopped. */
  async request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.key) headers.set("Authorization", `Bearer ${this.key}`);
    if (init.body) headers.set("Content-Type", "application/json");
    let response: Response;
    try {
      response = await fetch(this.address(path), { ...init, headers });
    } catch (error) {
      if (init.signal?.aborted) throw error;
      throw failure(navigator.onLine ? "unreachable" : "offline");
    }
    if (response.ok) return response;
    const document: unknown = await response.json().catch(() => null);
    throw problem(document, response.status, seconds(response.headers.get("Retry-After")));
  }

  /** POST a document; the stored one comes back. */
  async post(path: string, document: unknown): Promise<unknown> {
    const response = await this.request(path, { method: "POST", body: JSON.stringify(document) });
    return response.json();
  }
}

function kindOf(status: number): Failure["kind"] {
  if (status === 401 || status === 403) return "key";
  if (status === 429) return "limit";
  return status >= 500 || status === 0 ? "server" : "invalid";
}

/** Retry-After, where it gives seconds. */
function seconds(header: string | null): number | null {
  const given = Math.ceil(Number(header));
  return given > 0 ? Math.min(given, 86_400) : null;
}
