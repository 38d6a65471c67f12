// The sheet: draws strokes on a canvas, and makes strokes of what pointers and keys do.
//
// A stroke is {brush, points}, a point is [row, column, pressure]. Rows, columns and brush are in
// pixels of a sheet of SIDE by SIDE, whatever its size on the screen, so that a drawing stays the
// same when the window changes.

export const SIDE = 400;
const INK = "#000";
const THINNEST = 0.4; // as in inkfold/canvas/drawing.py

/** The width of a stroke at a pressure, as inkfold/canvas/drawing.py has it. */
export function width(brush, pressure) {
  return brush * (THINNEST + 2 * (1 - THINNEST) * pressure);
}

/** Draws strokes on a canvas, along the same curves as the server. */
export function draw(canvas, strokes) {
  const context = canvas.getContext("2d");
  const scale = canvas.width / SIDE;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = INK;
  for (const stroke of strokes) ink(context, stroke);
}

function ink(context, { brush, points }) {
  let start = points[0];
  for (let i = 1; i < points.length; i += 1) {
    const last = i === points.length - 1;
    const end = last ? points[i] : middle(points[i], points[i + 1]);
    context.beginPath();
    context.moveTo(start[1], start[0]);
    context.quadraticCurveTo(points[i][1], points[i][0], end[1], end[0]);
    context.lineWidth = width(brush, points[i][2]);
    context.stroke();
    start = end;
  }
  if (points.length === 1) {
    context.beginPath();
    context.moveTo(start[1], start[0]);
    context.lineTo(start[1], start[0]);
    context.lineWidth = width(brush, start[2]);
    context.stroke();
  }
}

function middle(a, b) {
  return a.map((value, i) => (value + b[i]) / 2);
}

/** Gives the canvas as many pixels as it has on the screen; a new size clears what was drawn. */
export function fitToScreen(canvas) {
  const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
  if (canvas.width !== side) canvas.width = canvas.height = side;
}

/** Calls `began`, `moved` and `ended` with points while a pointer draws on the canvas. */
export function listenToPointers(canvas, { began, moved, ended }) {
  let pointer = null;

  const pointOf = (event) => {
    const box = canvas.getBoundingClientRect();
    const border = canvas.clientLeft;
    const scale = SIDE / canvas.clientWidth;
    const pressure = event.pointerType === "pen" ? event.pressure : 0.5;
    const row = (event.clientY - box.top - border) * scale;
    return [row, (event.clientX - box.left - border) * scale, pressure];
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button !== 0) return; // a second finger does not draw
    pointer = event.pointerId;
    canvas.setPointerCapture(pointer);
    began(pointOf(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.pointerId !== pointer) return;
    // the browser joins moves into one event: without the joined ones a fast stroke has corners
    const events = event.getCoalescedEvents?.() ?? [];
    moved((events.length > 0 ? events : [event]).map(pointOf));
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      if (event.pointerId !== pointer) return;
      pointer = null;
      ended();
    });
  }
}

/**
 * Calls the same functions for a pen that the keyboard moves: Space puts it down and lifts it,
 * arrows move it. `shown` gets its place and whether it is down; null when the sheet loses focus.
 */
export function listenToKeys(canvas, { began, moved, ended, shown }) {
  let place = [SIDE / 2, SIDE / 2];
  let down = false;
  const moves = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      down = !down;
      if (down) began([...place, 0.5]);
      else ended();
    } else if (event.key in moves) {
      const step = event.shiftKey ? 2 : 12;
      place = place.map((value, i) => clamp(value + step * moves[event.key][i]));
      if (down) moved([[...place, 0.5]]);
    } else return;
    event.preventDefault();
    shown(place, down);
  });
  canvas.addEventListener("blur", () => {
    if (down) ended();
    down = false;
    shown(null, false);
  });
}

function clamp(value) {
  return Math.min(SIDE, Math.max(0, value));
}
