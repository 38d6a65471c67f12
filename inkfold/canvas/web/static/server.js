// The requests that the page sends to the server.

/** The JSON of an answer, null where it has no body; throws an Error with the server's reason. */
async function request(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer: is draw still running?");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { detail } = await answer.json().catch(() => ({ detail: `error ${answer.status}` }));
  throw new Error(typeof detail === "string" ? detail : detail[0].msg);
}

function json(method, body) {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** The address of a kept drawing's picture. */
export const pictureOf = ({ number }) => `/kept/${number}`;

export const health = () => request("/health");
export const classes = () => request("/classes");
export const answerDrawing = (drawing) => request("/predict/strokes", json("POST", drawing));
export const kept = () => request("/kept");
export const keep = (name, drawing) => request("/kept", json("POST", { name, drawing }));
export const remove = (drawing) => request(pictureOf(drawing), { method: "DELETE" });

export function answerFile(file) {
  const body = new FormData();
  body.append("file", file);
  return request("/predict", { method: "POST", body });
}

/**
 * A function that calls `ask` once at a time. Of the calls that come while `ask` runs only the last
 * one is made, after it.
 */
export function newestOnly(ask) {
  let running = false;
  let waiting = null;
  return async function call(...values) {
    waiting = values;
    if (running) return;
    running = true;
    while (waiting !== null) {
      const next = waiting;
      waiting = null;
      await ask(...next);
    }
    running = false;
  };
}
