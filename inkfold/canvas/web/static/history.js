// Undo and redo: what was drawn, and what was taken back. Every change gives a new history.

export const empty = Object.freeze({ done: [], undone: [] });

/** `stroke` was drawn; what had been taken back is gone. */
export function drawn(history, stroke) {
  return { done: [...history.done, stroke], undone: [] };
}

/** The last change is taken back; a cleared sheet comes back whole. */
export function undo({ done, undone }) {
  if (done.length === 0) return { done, undone };
  return { done: done.slice(0, -1), undone: [...undone, done.at(-1)] };
}

export function redo({ done, undone }) {
  if (undone.length === 0) return { done, undone };
  return { done: [...done, undone.at(-1)], undone: undone.slice(0, -1) };
}

const CLEARED = Object.freeze({ cleared: true });

/** The sheet is wiped, which can be taken back like a stroke. */
export function clear(history) {
  return strokes(history).length === 0 ? history : drawn(history, CLEARED);
}

/** The strokes that lie on the sheet: those since it was last wiped. */
export function strokes({ done }) {
  return done.slice(done.lastIndexOf(CLEARED) + 1);
}
