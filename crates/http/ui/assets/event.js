// One event: buttons that a script is needed for, and its proof.
import { ready } from "./app.js";
import { verify } from "./verify.js";

/** @param {ParentNode} root */
export function fill(root) {
  ready(root);
  const panel = /** @type {HTMLElement | null} */ (root.querySelector("[data-proof]"));
  panel?.querySelector("[data-verify]")?.addEventListener("click", () => verify(panel));
}

const alone = document.querySelector(".alone");
if (alone) fill(alone);
