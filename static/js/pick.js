// A long list of a form becomes one that can be searched: a text field in front of the select, which keeps the value
// and is what the form sends. https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
"use strict";

const FEW = 8;
const SHOWN = 50;

function searched(select) {
  const options = [...select.options].map((option) => ({ value: option.value, text: option.text.trim() }));
  const field = document.createElement("input");
  const list = document.createElement("ul");
  const name = select.id;
  // The text field takes over what pointed at the select: its label, its help, its error.
  select.id = `${name}-value`;
  Object.assign(field, { id: name, type: "text", className: "input", autocomplete: "off", spellcheck: false });
  Object.assign(field, { required: select.required, placeholder: "Type to search" });
  Object.assign(list, { id: `${name}-list`, className: "options", hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", document.querySelector(`label[for="${CSS.escape(name)}"]`)?.textContent.trim() ?? "");
  const roles = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id };
  for (const [attribute, value] of Object.entries(roles)) field.setAttribute(attribute, value);
  for (const attribute of ["aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(attribute)) field.setAttribute(attribute, select.getAttribute(attribute));
  }
  select.required = false;
  select.hidden = true;
  select.before(field, list);

  let active = -1;
  const chosen = () => options.find((option) => option.value === select.value && option.value !== "");
  const show = () => { field.value = chosen()?.text ?? ""; };
  const close = () => {
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const mark = (at) => {
    const rows = list.querySelectorAll("[role=option]");
    if (!rows.length) return;
    active = (at + rows.length) % rows.length;
    rows.forEach((row, number) => row.setAttribute("aria-selected", String(number === active)));
    rows[active].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", rows[active].id);
  };
  const open = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const found = options.filter((option) => words.every((word) => option.text.toLowerCase().includes(word)));
    list.replaceChildren(...found.slice(0, SHOWN).map((option, number) => {
      const row = document.createElement("li");
      Object.assign(row, { id: `${name}-option-${number}`, textContent: option.text });
      row.setAttribute("role", "option");
      row.dataset.value = option.value;
      return row;
    }));
    const more = found.length - SHOWN;
    if (more > 0 || !found.length) {
      const note = document.createElement("li");
      note.setAttribute("role", "presentation");
      note.textContent = found.length ? `${more} more: type to narrow them down.` : "Nothing matches.";
      list.append(note);
    }
    list.hidden = false;
    active = -1;
    field.setAttribute("aria-expanded", "true");
    field.removeAttribute("aria-activedescendant");
  };
  const pick = (value) => {
    if (value !== select.value) {
      select.value = value;
      select.dispatchEvent(new Event("input", { bubbles: true }));
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
    show();
    close();
  };

  field.addEventListener("input", () => { open(field.value); if (field.value.trim()) mark(0); });
  field.addEventListener("click", () => { field.select(); open(""); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (list.hidden) open("");
      mark(active + (event.key === "ArrowDown" ? 1 : active < 0 ? 0 : -1));
    } else if (event.key === "Enter" && !list.hidden) {
      if (active >= 0) pick(list.querySelectorAll("[role=option]")[active].dataset.value);
    } else if (event.key === "Escape" && !list.hidden) {
      show();
      close();
    } else return;
    event.preventDefault();
  });
  field.addEventListener("blur", () => {
    // Cleared means none, where none is a choice; any other text that was not picked was a search.
    if (!field.value.trim() && options.some((option) => option.value === "")) pick("");
    else { show(); close(); }
  });
  // The field keeps the keyboard while the list is clicked.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const row = event.target.closest("[role=option]");
    if (row) pick(row.dataset.value);
  });
  show();
}

function searchLists() {
  for (const select of document.querySelectorAll("select[data-searched]:not([hidden])")) {
    if (select.options.length > FEW) searched(select);
  }
}
document.addEventListener("htmx:after:swap", searchLists);
searchLists();
