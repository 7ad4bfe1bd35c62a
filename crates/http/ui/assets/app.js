// What every page has: menus that close, text that can be copied, keys and their help.

/** Keys, for the help and nothing else. @type {[string, string][]} */
const KEYS = [
  ["/", "write a filter"],
  ["j  k", "next and previous event"],
  ["Enter", "open the event"],
  ["Esc", "close what is open"],
  ["[  ]", "as long before, as long after"],
  ["t", "events as they come, and stop"],
  ["?", "this help"],
];

/**
 * Shows what works only with a script, within a page or a part of one that was loaded.
 * @param {ParentNode} root
 */
export function ready(root) {
  for (const element of root.querySelectorAll(".needs-script")) /** @type {HTMLElement} */ (element).hidden = false;
  for (const time of root.querySelectorAll("time[datetime]")) {
    const moment = new Date(/** @type {HTMLTimeElement} */ (time).dateTime);
    if (!Number.isNaN(moment.getTime())) /** @type {HTMLElement} */ (time).title = `${moment.toLocaleString()} where you are`;
  }
}

/** Whether keys are text for something just now. @param {EventTarget | null} target */
export function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input:not([type=checkbox]), select, textarea"));
}

/** @param {HTMLElement} button */
async function copy(button) {
  const from = button.dataset.copyFrom && button.closest("article, body")?.querySelector(button.dataset.copyFrom);
  let text = from ? from.textContent ?? "" : button.dataset.copy ?? "";
  if (button.dataset.copyAs === "address") text = new URL(text, location.href).href;
  const was = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Without encryption, from another machine, browsers keep the clipboard to themselves.
    prompt("Your browser lets only you copy this:", text);
  }
  setTimeout(() => (button.textContent = was), 1500);
}

document.addEventListener("click", (event) => {
  const target = /** @type {Element} */ (event.target);
  const button = target.closest("[data-copy], [data-copy-from]");
  if (button instanceof HTMLElement) copy(button);
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(target)) menu.removeAttribute("open");
  }
});

/** Closes the menu that is open, and says whether there was one. */
export function closeMenu() {
  const menu = document.querySelector("details.menu[open]");
  menu?.removeAttribute("open");
  menu?.querySelector("summary")?.focus();
  return Boolean(menu);
}

function help() {
  let dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("keys"));
  if (!dialog) {
    dialog = document.createElement("dialog");
    dialog.id = "keys";
    dialog.setAttribute("aria-labelledby", "keys-name");
    const name = Object.assign(document.createElement("h2"), { id: "keys-name", textContent: "Keys" });
    const list = document.createElement("dl");
    for (const [key, says] of KEYS) {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      for (const one of key.split("  ")) term.append(Object.assign(document.createElement("kbd"), { textContent: one }), " ");
      row.append(term, Object.assign(document.createElement("dd"), { textContent: says }));
      list.append(row);
    }
    const form = document.createElement("form");
    form.method = "dialog";
    form.append(Object.assign(document.createElement("button"), { textContent: "Close" }));
    dialog.append(name, list, form);
    document.body.append(dialog);
  }
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") closeMenu();
  else if (event.key === "?" && !isTyping(event.target)) help();
});

ready(document);
