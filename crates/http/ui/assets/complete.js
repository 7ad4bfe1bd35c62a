// What may come next while somebody types a filter (WAI-ARIA combobox with a list).

/** @typedef {{insert: string, about: string, from: number, to: number}} Offer */

const bytes = new TextEncoder();
const text = new TextDecoder();

/** @param {HTMLInputElement} input */
export function complete(input) {
  const list = document.createElement("ul");
  list.id = "offers";
  list.className = "offers";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "What may come next");
  input.after(list);
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", "offers"], ["aria-expanded", "false"]]) {
    input.setAttribute(name, value);
  }
  /** @type {Offer[]} */
  let offers = [];
  let chosen = -1;
  let asked = 0;
  let wait = 0;

  function close() {
    asked++;
    list.hidden = true;
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  /** @param {number} n */
  function choose(n) {
    chosen = n;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === n)));
    const item = list.children[n];
    if (item) input.setAttribute("aria-activedescendant", item.id);
    else input.removeAttribute("aria-activedescendant");
    item?.scrollIntoView({ block: "nearest" });
  }

  /** @param {Offer} offer */
  function take(offer) {
    const all = bytes.encode(input.value);
    const [before, after] = [text.decode(all.slice(0, offer.from)), text.decode(all.slice(offer.to))];
    // A name goes on with its value; whatever is whole, with a space.
    const gap = /[:.=<>]$/.test(offer.insert) || after.startsWith(" ") || after.startsWith(")") ? "" : " ";
    input.value = before + offer.insert + gap + after;
    const caret = (before + offer.insert + gap).length;
    input.setSelectionRange(caret, caret);
    close();
    if (gap === "") ask();
  }

  async function ask() {
    const mine = ++asked;
    const caret = input.selectionStart ?? input.value.length;
    const here = new URLSearchParams(location.search);
    const question = new URLSearchParams({ q: input.value, at: String(bytes.encode(input.value.slice(0, caret)).length) });
    for (const name of ["organisation", "from", "to"]) if (here.get(name)) question.set(name, here.get(name) ?? "");
    try {
      const answer = await fetch(`/search/complete?${question}`);
      if (!answer.ok || answer.redirected || mine !== asked || document.activeElement !== input) return;
      offers = await answer.json();
    } catch {
      return;
    }
    if (mine !== asked) return;
    list.replaceChildren(...offers.map((offer, n) => {
      const item = document.createElement("li");
      item.id = `offer-${n}`;
      item.setAttribute("role", "option");
      item.append(
        Object.assign(document.createElement("code"), { textContent: offer.insert }),
        Object.assign(document.createElement("span"), { textContent: offer.about }),
      );
      item.addEventListener("pointerdown", (event) => (event.preventDefault(), take(offer)));
      return item;
    }));
    choose(-1);
    list.hidden = offers.length === 0;
    input.setAttribute("aria-expanded", String(!list.hidden));
  }

  input.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(ask, 120);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && list.hidden) return void ask();
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const step = event.key === "ArrowDown" ? 1 : -1;
      // Past the end there is what was typed.
      choose(((chosen + 1 + step + offers.length + 1) % (offers.length + 1)) - 1);
    } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) take(offers[chosen]);
    else if (event.key === "Tab" && offers.length === 1) take(offers[0]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
}
