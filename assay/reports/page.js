"use strict";
// Search, filters and keys. Without this script the page shows everything, collapsed by section.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const by = (id) => document.getElementById(id);
  const box = document.querySelector(".claims");
  const choices = ["run", "section", "kind", "group", "mark"].map(by).filter(Boolean);
  const buttons = [...form.querySelectorAll("[data-code]")];
  const runs = by("run") ? [...by("run").options].slice(1).map((option) => option.value) : [];
  const sections = [...box.querySelectorAll(".section")].map((element) => ({
    element,
    name: element.dataset.name,
    open: element.open,
    claims: [...element.querySelectorAll(".claim")].map((claim) => ({
      element: claim,
      summary: claim.firstElementChild,
      codes: claim.dataset.o,
      kind: claim.dataset.k,
      groups: claim.dataset.g.split(" "),
      marks: claim.dataset.m,
      text: "",
      shown: true,
    })),
  }));
  const claims = sections.flatMap((section) => section.claims);
  const owner = new Map(sections.flatMap((section) => section.claims.map((claim) => [claim, section])));
  let current = null;
  let filtering = false;

  // --- The selection, and the address that keeps it -------------------------------------------------------

  const selection = () => ({
    words: by("search").value.toLowerCase().split(/\s+/).filter(Boolean),
    codes: buttons.filter((button) => button.ariaPressed === "true").map((button) => button.dataset.code),
    ...Object.fromEntries(choices.map((choice) => [choice.id, choice.value])),
  });

  const parameters = () => {
    const found = new URLSearchParams();
    if (by("search").value.trim()) found.set("q", by("search").value.trim());
    const states = buttons.filter((button) => button.ariaPressed === "true").map((button) => button.dataset.state);
    if (states.length) found.set("outcome", states.join(","));
    for (const choice of choices) if (choice.value) found.set(choice.id, choice.value);
    return found;
  };

  const write = (claim = "") => {
    const found = parameters();
    if (claim && !found.size) return history.replaceState(null, "", `#${claim}`);
    if (claim) found.set("at", claim);
    history.replaceState(null, "", found.size ? `#${found}` : location.pathname + location.search);
  };

  // Return whether the address has a selection; the browser handles a plain anchor.
  const read = () => {
    const hash = location.hash.slice(1);
    if (!hash.includes("=")) return false;
    const found = new URLSearchParams(hash);
    const states = (found.get("outcome") || "").split(",");
    by("search").value = found.get("q") || "";
    for (const button of buttons) button.ariaPressed = String(states.includes(button.dataset.state));
    for (const choice of choices) {
      const value = found.get(choice.id) || "";
      choice.value = [...choice.options].some((option) => option.value === value) ? value : "";
    }
    return true;
  };

  // --- Filtering ------------------------------------------------------------------------------------------

  const holds = (claim, section, wanted) => {
    const codes = wanted.run ? claim.codes[runs.indexOf(wanted.run)] : claim.codes;
    if (wanted.section && wanted.section !== section.name) return false;
    if (wanted.kind && wanted.kind !== claim.kind) return false;
    if (wanted.group && !claim.groups.includes(wanted.group)) return false;
    if (wanted.mark && !claim.marks.includes(wanted.mark)) return false;
    if (wanted.run && codes === "o") return false;
    if (wanted.codes.length && !wanted.codes.some((code) => codes.includes(code))) return false;
    if (!wanted.words.length) return true;
    claim.text ||= `${claim.element.id} ${claim.element.textContent}`.toLowerCase();
    return wanted.words.every((word) => claim.text.includes(word));
  };

  const filter = () => {
    const wanted = selection();
    const active = [...parameters()].length > 0;
    let count = 0;
    if (active && !filtering) for (const section of sections) section.open = section.element.open;
    for (const section of sections) {
      let inside = 0;
      for (const claim of section.claims) {
        const shown = !active || holds(claim, section, wanted);
        if (shown !== claim.shown) claim.element.hidden = !shown;
        claim.shown = shown;
        inside += shown;
      }
      count += inside;
      section.element.hidden = !inside;
      if (active) section.element.open = inside > 0;
      else if (filtering) section.element.open = section.open;
    }
    filtering = active;
    by("found").textContent = active ? `${count} of ${claims.length} claims` : `${claims.length} claims`;
    by("clear").hidden = !active;
    by("nothing").hidden = count > 0;
    if (current && !current.shown) rove(null);
  };

  const clear = () => {
    by("search").value = "";
    for (const button of buttons) button.ariaPressed = "false";
    for (const choice of choices) choice.value = "";
    filter();
    write();
  };

  // --- Claims: the Tab key reaches one of them, and the arrow keys move between them ------------------------

  const rove = (claim) => {
    if (current) current.summary.tabIndex = -1;
    current = claim;
    if (claim) claim.summary.tabIndex = 0;
    else {
      const first = claims.find((each) => each.shown);
      if (first) first.summary.tabIndex = 0;
      current = first || null;
    }
  };

  // Scroll an element into view, and again when the elements around it have their final height.
  const reveal = (element, block) => {
    element.scrollIntoView({ block, behavior: "instant" });
    requestAnimationFrame(() => element.scrollIntoView({ block, behavior: "instant" }));
  };

  const show = (claim, focus = true) => {
    owner.get(claim).element.open = true;
    rove(claim);
    if (focus) claim.summary.focus({ preventScroll: true });
    reveal(claim.summary, "nearest");
  };

  const step = (claim, by_) => {
    const shown = claims.filter((each) => each.shown && (each === claim || owner.get(each).element.open || filtering));
    const list = shown.length ? shown : claims;
    const next = list[claim ? list.indexOf(claim) + by_ : by_ > 0 ? 0 : list.length - 1];
    if (next) show(next);
    return Boolean(next);
  };

  // Open the claim, the section or the line that an anchor names, even if the filters hide it.
  const arrive = (id) => {
    const target = id && by(id);
    if (!target) return;
    const claim = claims.find((each) => each.element === target);
    if (claim && !claim.shown) clear();
    for (let parent = target; parent; parent = parent.parentElement) {
      if (parent.tagName === "DETAILS" && (parent !== target || claim || target.matches(".section"))) parent.open = true;
    }
    for (const each of document.querySelectorAll(".arrived")) each.classList.remove("arrived");
    target.classList.add("arrived");
    if (claim) {
      rove(claim);
      claim.summary.focus({ preventScroll: true });
    }
    reveal(target, claim ? "center" : "start");
  };

  const follow = () => {
    if (read()) {
      filter();
      const at = new URLSearchParams(location.hash.slice(1)).get("at");
      if (at) arrive(at);
      else reveal(by("claims"), "start");
    } else arrive(decodeURIComponent(location.hash.slice(1)));
  };

  // --- Events ---------------------------------------------------------------------------------------------

  let waiting = 0;
  by("search").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { filter(); write(); }, 60);
  });
  for (const choice of choices) choice.addEventListener("change", () => { filter(); write(); });
  for (const button of buttons) {
    button.addEventListener("click", () => {
      button.ariaPressed = String(button.ariaPressed !== "true");
      filter();
      write();
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  by("clear").addEventListener("click", () => { clear(); by("search").focus(); });
  by("reset").addEventListener("click", () => { clear(); by("search").focus(); });
  addEventListener("hashchange", follow);
  // A link to a claim that the filters show keeps the filters; a second click returns to the claim.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#claim-"], a[href^="#unknown-"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const id = decodeURIComponent(link.getAttribute("href").slice(1));
    arrive(id);
    if (filtering) write(id);
    else history.pushState(null, "", `#${id}`);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const at = document.activeElement;
    const claim = claims.find((each) => each.summary === at);
    const typing = at.matches?.("input, select, textarea");
    if (event.key === "/" && !typing) {
      by("search").focus();
      by("search").select();
    } else if (event.key === "Escape") {
      if (filtering || by("search").value) clear();
      else at.blur();
    } else if (event.key === "ArrowDown" && (claim || at === by("search") || at === document.body)) {
      if (!step(claim, 1)) return;
    } else if (event.key === "ArrowUp" && claim) {
      if (!step(claim, -1)) by("search").focus();
    } else if (event.key === "Home" && claim) step(null, 1);
    else if (event.key === "End" && claim) step(null, -1);
    else return;
    event.preventDefault();
  });
  // Names of the runs, where there is only room for a symbol.
  box.addEventListener("mouseover", (event) => {
    const cell = event.target;
    if (cell.tagName !== "I" || cell.title || !cell.parentElement.matches(".signs")) return;
    const number = [...cell.parentElement.children].indexOf(cell);
    const state = buttons.find((button) => button.dataset.code === cell.className)?.dataset.state;
    cell.title = state ? `${runs[number]}: ${state}` : runs[number];
  });
  box.addEventListener("focusin", (event) => {
    const claim = claims.find((each) => each.summary === event.target);
    if (claim && claim !== current) rove(claim);
  });

  const counts = {};
  for (const claim of claims) for (const code of new Set(claim.codes)) counts[code] = (counts[code] || 0) + 1;
  for (const button of buttons) {
    button.hidden = !counts[button.dataset.code];
    button.querySelector("b").textContent = (counts[button.dataset.code] || 0).toLocaleString("en");
  }
  for (const claim of claims) claim.summary.tabIndex = -1;
  rove(null);
  form.hidden = false;
  filter();
  follow();
})();
