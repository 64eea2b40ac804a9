// Rows that can be ticked: the box of the header ticks all of the page, Shift ticks a range, and the bar says how many.
"use strict";

{
  let last = null;
  const boxes = (form) => [...form.querySelectorAll("tbody > tr > .is-tick > input")];

  const tell = (form) => {
    const all = boxes(form);
    const picked = all.filter((box) => box.checked).length;
    const head = form.querySelector("[data-tick-all]");
    if (head) {
      head.checked = picked > 0 && picked === all.length;
      head.indeterminate = picked > 0 && picked < all.length;
    }
    const every = form.querySelector(".is-picked:checked");
    const number = form.querySelector("[data-picked]");
    if (number) number.textContent = every ? "All" : picked;
  };

  document.addEventListener("click", (event) => {
    const box = event.target.closest?.("[data-ticks] tbody > tr > .is-tick > input");
    if (!box) return;
    const all = boxes(box.form);
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
    if (event.shiftKey && from >= 0) for (const between of all.slice(from, to)) between.checked = box.checked;
    last = box;
  });

  document.addEventListener("change", (event) => {
    const form = event.target.closest?.("[data-ticks]");
    if (!form) return;
    if (event.target.matches("[data-tick-all]")) for (const box of boxes(form)) box.checked = event.target.checked;
    tell(form);
  });

  // The whole cell of a box is the box: nobody aims at 13 pixels.
  document.addEventListener("click", (event) => {
    if (event.target.matches?.("[data-ticks] .is-tick")) event.target.querySelector("input")?.click();
  });

  document.addEventListener("reset", (event) => {
    if (event.target.matches("[data-ticks]")) setTimeout(() => tell(event.target));
  });

  // Another page of the table starts with nothing ticked, whatever became of its boxes.
  document.addEventListener("htmx:after:swap", () => {
    for (const form of document.querySelectorAll("[data-ticks]")) {
      const known = form.dataset.ticks;
      const now = boxes(form).map((box) => box.name).join();
      form.dataset.ticks = now;
      if (known === now) continue;
      for (const box of boxes(form)) box.checked = false;
      tell(form);
    }
  });
  for (const form of document.querySelectorAll("[data-ticks]")) {
    form.dataset.ticks = boxes(form).map((box) => box.name).join();
    tell(form);
  }
}
