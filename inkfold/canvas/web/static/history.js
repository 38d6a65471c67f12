// Undo and redo. A history holds the changes that are in force (`done`) and those that were undone
// (`undone`); no function changes a history, each returns a new one.

export const empty = Object.freeze({ done: [], undone: [] });

/** Adds a stroke; changes that were undone are forgotten. */
export function drawn(history, stroke) {
  return { done: [...history.done, stroke], undone: [] };
}

/** Undoes the last change; undoing a clearing brings all its strokes back. */
export function undo({ done, undone }) {
  if (done.length === 0) return { done, undone };
  return { done: done.slice(0, -1), undone: [...undone, done.at(-1)] };
}

/** Does again the change that was undone last. */
export function redo({ done, undone }) {
  if (undone.length === 0) return { done, undone };
  return { done: [...done, undone.at(-1)], undone: undone.slice(0, -1) };
}

const CLEARED = Object.freeze({ cleared: true });

/** Clears the sheet, a change that can be undone like a stroke. */
export function clear(history) {
  return strokes(history).length === 0 ? history : drawn(history, CLEARED);
}

/** The strokes on the sheet: those since the last clearing. */
export function strokes({ done }) {
  return done.slice(done.lastIndexOf(CLEARED) + 1);
}
