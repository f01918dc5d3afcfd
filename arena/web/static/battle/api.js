// Requests to the battle API. Every failure is a `Problem` with a stable `code`.

const BATTLES = "/api/v1/battles";
const PATIENCE = 30_000; // milliseconds

export class Problem extends Error {
  constructor(code, detail, status = 0, retryAfter = null) {
    super(detail);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter; // seconds
  }
}

const unreachable = () => new Problem("unreachable", t("The arena cannot be reached. Nothing was changed."));

/** The JSON of a reply, or null if it has none. Raises `Problem`. */
export async function request(method, path, body, more = {}) {
  const isBlob = body instanceof Blob;
  const headers = body === undefined ? {} : { "content-type": isBlob ? body.type : "application/json" };
  let reply;
  try {
    reply = await fetch(path, {
      method, headers, credentials: "same-origin", cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
      body: body === undefined || isBlob ? body : JSON.stringify(body), ...more,
    });
  } catch {
    throw unreachable();
  }
  const text = await reply.text().catch(() => { throw unreachable(); });
  let json = null;
  try { json = text ? JSON.parse(text) : null; } catch { /* the page of a proxy */ }
  if (reply.ok && (json || reply.status === 204)) return json;
  if (!json) throw unreachable();
  const seconds = Number(reply.headers.get("retry-after")) || null;
  const problem = new Problem(json.code ?? String(reply.status), json.detail ?? json.title ?? reply.statusText, reply.status, seconds);
  problem.challenge = json.challenge ?? null;
  throw problem;
}

const of = (id, part = "") => `${BATTLES}/${encodeURIComponent(id)}${part}?html=1`;

export const api = {
  facts: () => request("GET", "/api/v1/arena"),
  models: () => request("GET", "/api/v1/arena?models=1").then((facts) => facts.models),
  begin: (body) => request("POST", `${BATTLES}?html=1`, body),
  read: (id) => request("GET", of(id)),
  turn: (id, body) => request("POST", of(id, "/turns"), body),
  edit: (id, body) => request("PUT", of(id, "/turns/last"), body),
  stop: (id) => request("POST", of(id, "/stop")),
  regenerate: (id, side) => request("POST", of(id, "/regenerate"), side ? { side } : {}),
  reroll: (id, side) => request("POST", of(id, "/reroll"), { side }),
  retry: (id) => request("POST", of(id, "/retry")),
  vote: (id, body) => request("POST", of(id, "/vote"), body),
  undo: (id) => request("DELETE", of(id, "/vote")),
  share: (id, shared) => request("PUT", of(id, "/shared"), { shared }),
  report: (id, body) => request("POST", of(id, "/report"), body),
  leave: (id) => request("POST", of(id, "/leave"), undefined, { keepalive: true }),
  upload: (image) => request("POST", "/api/v1/images", image, { signal: AbortSignal.timeout(2 * PATIENCE) }),
  streamOf: (id, position) => `${BATTLES}/${encodeURIComponent(id)}/stream?format=html`
    + (position ? `&last_event_id=${encodeURIComponent(position)}` : ""),
};
