// What the page asks the server.

async function asked(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer: is draw.py still running?");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const { detail } = await answer.json().catch(() => ({ detail: `error ${answer.status}` }));
  throw new Error(typeof detail === "string" ? detail : detail[0].msg);
}

function json(method, body) {
  return { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

const at = ({ number }) => `/kept/${number}`;

export const health = () => asked("/health");
export const classes = () => asked("/classes");
export const answerDrawing = (drawing) => asked("/predict/strokes", json("POST", drawing));
export const kept = () => asked("/kept");
export const keep = (name, drawing) => asked("/kept", json("POST", { name, drawing }));
export const remove = (one) => asked(at(one), { method: "DELETE" });
export const pictureOf = at;

export function answerFile(file) {
  const body = new FormData();
  body.append("file", file);
  return asked("/predict", { method: "POST", body });
}

/** Calls `ask` with the newest wish only: one request at a time, those between are left out. */
export function newestOnly(ask) {
  let running = false;
  let waiting = null;
  return async function wish(...words) {
    waiting = words;
    if (running) return;
    running = true;
    while (waiting !== null) {
      const now = waiting;
      waiting = null;
      await ask(...now);
    }
    running = false;
  };
}
