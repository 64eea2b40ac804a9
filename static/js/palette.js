// Search or jump: Ctrl K opens it over any page, the arrows choose, Enter goes there.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const hits = () => [...dialog.querySelectorAll("[data-hit]")];

  function open() {
    if (dialog.open || document.querySelector("dialog[open]")) return;
    input.value = "";
    dialog.showModal();
    input.focus();
    input.dispatchEvent(new CustomEvent("palette"));
  }
  function choose(at) {
    const all = hits();
    for (const hit of all) hit.removeAttribute("data-chosen");
    const chosen = all[(at + all.length) % all.length];
    if (!chosen) return;
    chosen.dataset.chosen = "";
    chosen.id = "palette-chosen";
    for (const hit of all) if (hit !== chosen) hit.removeAttribute("id");
    input.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  }
  const chosen = () => hits().findIndex((hit) => "chosen" in hit.dataset);

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    if (dialog.open) dialog.close();
    else open();
  });
  document.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
    if (!event.target.closest?.("[data-palette]")) return;
    event.preventDefault();
    open();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(chosen() + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      const hit = hits()[chosen()];
      if (!hit) return;
      event.preventDefault();
      hit.click();
    }
  });
  document.addEventListener("htmx:after:swap", () => { if (dialog.open) choose(0); });
})();
