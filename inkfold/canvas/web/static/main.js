// Connects the parts of the page: the sheet, buttons and keys, the server, the kept drawings.

import { showAnswer, span } from "./answer.js";
import * as history from "./history.js";
import * as server from "./server.js";
import { SIDE, draw, fitToScreen, listenToKeys, listenToPointers } from "./sheet.js";

const element = (id) => document.getElementById(id);
const sheet = element("sheet");
const brush = element("brush");

let past = history.empty;
let current = null; // the stroke that is being drawn
let pen = null; // the pen that the keyboard moves: {place, down}

const visibleStrokes = () => [...history.strokes(past), ...(current ? [current] : [])];
const drawing = () => ({ rows: SIDE, columns: SIDE, strokes: visibleStrokes() });

/** Shows the answer to the newest question, whether it is about the drawing or about a file. */
const ask = server.newestOnly((question) => reportingErrors(async () => {
  showAnswer(await question());
}));

const askAboutDrawing = () => ask(() => server.answerDrawing(drawing()));

/** Runs `work` and shows its error on the page, or hides the last error when there is none. */
async function reportingErrors(work) {
  const problem = element("problem");
  try {
    await work();
    problem.hidden = true;
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
}

function show() {
  fitToScreen(sheet);
  draw(sheet, visibleStrokes());
  if (pen) drawPen();
  element("undo").disabled = past.done.length === 0;
  element("redo").disabled = past.undone.length === 0;
  const blank = history.strokes(past).length === 0;
  element("clear").disabled = element("keep-it").disabled = blank;
}

function drawPen() {
  const context = sheet.getContext("2d");
  context.strokeStyle = pen.down ? "#b3261e" : "#1f5fa8";
  context.lineWidth = 2;
  context.strokeRect(pen.place[1] - 6, pen.place[0] - 6, 12, 12);
}

function change(next) {
  past = next;
  show();
  askAboutDrawing();
}

const strokes = {
  began(point) {
    current = { brush: Number(brush.value), points: [point] };
    show();
  },
  moved(points) {
    if (!current) return;
    current.points.push(...points);
    show();
    askAboutDrawing();
  },
  ended() {
    if (!current) return;
    const done = current;
    current = null;
    change(history.drawn(past, done));
  },
  shown(place, down) {
    pen = place && { place, down };
    show();
  },
};

const actions = {
  undo: () => change(history.undo(past)),
  redo: () => change(history.redo(past)),
  clear: () => change(history.clear(past)),
  open: () => element("file").click(),
};

/** Handles the shortcuts of the page; in a text field keys edit the text. */
function keyPressed(event) {
  if (event.target.matches("input:not([type=range])")) return;
  const key = event.key.toLowerCase();
  const control = event.ctrlKey || event.metaKey;
  if (control && (key === "y" || (key === "z" && event.shiftKey))) actions.redo();
  else if (control && key === "z") actions.undo();
  else if (!control && key === "delete") actions.clear();
  else if (!control && (key === "[" || key === "]")) brush.value = +brush.value + (key === "[" ? -2 : 2);
  else return;
  event.preventDefault();
}

function answerFile(file) {
  if (!file) return;
  past = history.clear(past);
  show();
  ask(() => server.answerFile(file));
}

async function showKept() {
  const drawings = await server.kept();
  element("kept").replaceChildren(...drawings.map((kept) => {
    const item = document.createElement("li");
    const picture = document.createElement("img");
    picture.src = server.pictureOf(kept);
    picture.alt = `A kept ${kept.name}`;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Delete";
    button.setAttribute("aria-label", `Delete this ${kept.name}`);
    button.addEventListener("click", () => reportingErrors(async () => {
      await server.remove(kept);
      await showKept();
    }));
    item.append(picture, span("name", kept.name), button);
    return item;
  }));
}

function keep(event) {
  event.preventDefault();
  reportingErrors(async () => {
    await server.keep(element("name").value, drawing());
    await showKept();
    actions.clear();
    sheet.focus();
  });
}

function listen() {
  listenToPointers(sheet, strokes);
  listenToKeys(sheet, strokes);
  for (const [id, action] of Object.entries(actions)) element(id).addEventListener("click", action);
  element("file").addEventListener("change", (event) => {
    answerFile(event.target.files[0]);
    event.target.value = ""; // or choosing the same file again would be no change
  });
  element("keep").addEventListener("submit", keep);
  addEventListener("keydown", keyPressed);
  addEventListener("paste", (event) => answerFile(event.clipboardData.files[0]));
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("over");
  });
  addEventListener("dragleave", () => document.body.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    answerFile(event.dataTransfer.files[0]);
  });
  new ResizeObserver(show).observe(sheet);
}

async function begin() {
  listen();
  show();
  const { bundle } = await server.health();
  const { classes } = await server.classes();
  element("about").textContent = `Answered by ${bundle}, ${classes.length} classes.`;
  element("classes").replaceChildren(...classes.map((name) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  }));
  await showKept();
}

reportingErrors(begin);
