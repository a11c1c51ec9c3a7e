// Talking to the server: JSON in, JSON out, every failure one sentence.

const SIGNED_OUT = "You are signed out. Reload the page to sign in; what is not saved yet waits here.";

/** What a request came to when it did not come to an answer. */
export class RequestFailed extends Error {
  /**
   * @param {string} sentence  fit to be shown
   * @param {number} status  HTTP status, 0 when the server was not reached
   * @param {string} kind  last part of the problem's type, such as "superseded"
   */
  constructor(sentence, status, kind = "") {
    super(sentence);
    this.status = status;
    this.kind = kind;
  }

  /** Whether asking again later can help; who was signed out signs in again. */
  get passing() {
    return this.status === 0 || this.status === 401 || this.kind === "password-due" || this.status === 408 || this.status === 425 || this.status === 429 || this.status >= 500;
  }
}

export class Api {
  /** @param {string} base  such as "/api" */
  constructor(base) {
    this.base = base;
    /** whose page this is, while people sign in: the server takes nothing from it in anybody else's name @type {number | null} */
    this.person = null;
    /** @type {(online: boolean) => void} */
    this.onReach = () => {};
  }

  /** @param {string} path  below the base */
  url(path) {
    return `${this.base}${path}`;
  }

  get(path, options = {}) {
    return this.send("GET", path, undefined, options);
  }

  post(path, body, options = {}) {
    return this.send("POST", path, body, options);
  }

  /**
   * @param {{signal?: AbortSignal, headers?: Record<string, string>, timeout?: number, keepalive?: boolean}} options
   * @returns {Promise<any>} the answer's JSON, null when it has none
   * @throws {RequestFailed} and AbortError when `signal` fires
   */
  async send(method, path, body, { signal, headers = {}, timeout = 60_000, keepalive = false } = {}) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), timeout);
    const stop = () => limit.abort();
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) limit.abort();
    try {
      const answer = await this.fetch(method, path, body, { headers, keepalive, signal: limit.signal });
      return await answerOf(answer);
    } catch (error) {
      if (signal?.aborted) throw new DOMException("no longer wanted", "AbortError");
      if (error instanceof RequestFailed) throw error;
      if (limit.signal.aborted) throw this.lost("The server did not answer in time.");
      throw this.lost("The server cannot be reached.");
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  async fetch(method, path, body, { headers, keepalive, signal }) {
    const json = body === undefined ? {} : { "content-type": "application/json" };
    const person = this.person === null ? {} : { "Masksmith-Person": String(this.person) };
    const answer = await fetch(this.url(path), {
      method,
      headers: { ...json, ...person, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
      keepalive,
      cache: "no-store",
    });
    this.onReach(true);
    return answer;
  }

  lost(sentence) {
    this.onReach(false);
    return new RequestFailed(sentence, 0);
  }
}

/** @param {Response} answer */
async function answerOf(answer) {
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  if (answer.status === 401) throw new RequestFailed(SIGNED_OUT, 401, "sign-in");
  const problem = await answer.json().catch(() => null);
  const said = typeof problem?.detail === "string" && problem.detail ? problem.detail : null;
  const kind = typeof problem?.type === "string" ? problem.type.split("/").pop() : "";
  throw new RequestFailed(said ?? `The server answered ${answer.status}.`, answer.status, kind);
}
