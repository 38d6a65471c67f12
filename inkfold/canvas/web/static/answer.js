// Shows an answer: the label, five bars, and the image that the network classified.

const element = (id) => document.getElementById(id);

const REASONS = {
  several: "there are several bodies of ink",
  "not writing": "the ink is not that of writing",
  unlike: "it is unlike all that was learned",
};

export function showAnswer({ label, sure, flag, top, seen }) {
  element("label").replaceChildren(
    ...(label === null ? ["Nothing is drawn yet."] : inWords(label, sure, flag, top)),
  );
  element("top").replaceChildren(...top.map(bar));
  showSeen(seen);
}

/** What is said of the likeliest class, as nodes and texts; a guess that is withheld is grey. */
function inWords(label, sure, flag, top) {
  const guess = `${label}, ${percent(top[0].probability)}`;
  if (sure) return [guess];
  if (flag === null) return [`Not sure: perhaps ${guess}`];
  const words = `This does not look like one character: ${REASONS[flag]}. `;
  return [span("reason", words), span("guess", `Perhaps ${guess}`)];
}

function bar({ label, probability }) {
  const item = document.createElement("li");
  const name = span("name", label);
  name.title = label;
  const box = document.createElement("div");
  box.className = "bar";
  box.setAttribute("aria-hidden", "true");
  const filled = document.createElement("span");
  filled.style.width = `${100 * probability}%`;
  box.append(filled);
  item.append(name, box, span("share", percent(probability)));
  return item;
}

export function span(className, text) {
  const node = document.createElement("span");
  node.className = className;
  node.textContent = text;
  return node;
}

function percent(probability) {
  return `${(100 * probability).toFixed(1)} %`;
}

/** Draws the classified image, one pixel for each of its bytes. */
function showSeen({ size, pixels }) {
  const canvas = element("seen");
  canvas.width = canvas.height = size;
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0));
  const image = new ImageData(size, size);
  bytes.forEach((value, i) => image.data.set([value, value, value, 255], 4 * i));
  canvas.getContext("2d").putImageData(image, 0, 0);
  element("seen-size").textContent = `What the network sees, ${size} x ${size} pixels`;
}
