// Which class a dot is of: by pointing, by tapping, or from a list. The page says all else without.
(() => {
  const clouds = [...document.querySelectorAll(".cloud svg")];
  const place = document.getElementById("pick");
  if (!clouds.length || !place) return;

  const names = new Map();
  for (const path of clouds[0].querySelectorAll("path"))
    names.set(path.dataset.c, path.querySelector("title").textContent);

  const label = document.createElement("label");
  label.className = "pick";
  label.append("Show one class: ");
  const select = document.createElement("select");
  select.append(new Option("all", ""));
  for (const [number, name] of names) select.append(new Option(name, number));
  label.append(select);
  const told = document.createElement("p");
  told.className = "told quiet";
  told.setAttribute("aria-live", "polite");
  place.append(label, told);

  function show(number) {
    select.value = number;
    for (const cloud of clouds) {
      cloud.classList.toggle("one", number !== "");
      for (const drawn of cloud.querySelectorAll("[data-c]"))
        drawn.classList.toggle("on", drawn.dataset.c === number);
    }
  }

  function pointsOf(cloud) {
    const points = [];
    for (const path of cloud.querySelectorAll("path"))
      for (const [, x, y] of path.getAttribute("d").matchAll(/M(\d+) (\d+)/g))
        points.push([+x, +y, path.dataset.c]);
    return points;
  }

  function nearest(cloud, points, event) {
    const at = new DOMPoint(event.clientX, event.clientY)
      .matrixTransform(cloud.getScreenCTM().inverse());
    let best = "", least = 14 ** 2; // a finger's width, in the drawing's units
    for (const [x, y, number] of points) {
      const apart = (x - at.x) ** 2 + (y - at.y) ** 2;
      if (apart < least) [best, least] = [number, apart];
    }
    return best;
  }

  select.addEventListener("change", () => show(select.value));
  for (const cloud of clouds) {
    const points = pointsOf(cloud);
    cloud.addEventListener("pointermove", (event) => {
      const number = nearest(cloud, points, event);
      told.textContent = number === "" ? "" : "Nearest: " + names.get(number);
    });
    cloud.addEventListener("click", (event) => {
      const number = nearest(cloud, points, event);
      show(number === select.value ? "" : number);
      told.textContent = number === "" ? "" : "Shown: " + names.get(number);
    });
  }
})();
