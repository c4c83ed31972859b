"use strict";
(() => {
  const all = (query, from = document) => Array.from(from.querySelectorAll(query));
  const form = document.getElementById("filter");
  const find = document.getElementById("find");
  const sort = document.getElementById("sort");
  const items = all("ul.gates > li");
  const readable = (item) => all("summary, .said, .told bdi, .told code", item).map((each) => each.textContent).join(" ").toLowerCase();
  items.forEach((item, at) => { item.first = at; item.text = readable(item); });
  const lines = new Map(all("#listed tbody tr").map((line) => [line.querySelector("a").getAttribute("href").slice(1), line]));
  const turn = document.getElementById("turn");

  /* As report.html.reading.fragment writes an id. */
  const written = (text) => encodeURIComponent(text)
    .replace(/[!'*]/g, (each) => "%" + each.charCodeAt(0).toString(16).toUpperCase())
    .replace(/%(3D|26|2F|5B|5D|2C|3A|40|2B)/g, decodeURIComponent);

  const openGate = (id) => {
    const found = id && document.getElementById(id);
    if (!found) return false;
    const item = found.closest("ul.gates > li");
    if (item && item.hidden) clear();
    for (let each = found; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    found.scrollIntoView({ block: "start" });
    const summary = found.matches("details") ? found.querySelector("summary") : null;
    if (summary) summary.focus({ preventScroll: true });
    return true;
  };

  /* What has no key comes last in either direction; what has the same keeps its place. */
  const ordered = (key, down, place) => (a, b) => {
    const [one, other] = [key(a), key(b)];
    if (one === null || other === null) return (one === null) - (other === null) || place(a) - place(b);
    return (one < other ? -1 : one > other ? 1 : 0) * (down ? -1 : 1) || place(a) - place(b);
  };

  const chosen = () => all(".chip[aria-pressed=true]", form).map((chip) => chip.dataset.status);

  const show = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean), statuses = chosen();
    const active = words.length > 0 || statuses.length > 0;
    let shown = 0;
    for (const item of items) {
      const fits = words.every((word) => item.text.includes(word)) && (!statuses.length || statuses.includes(item.dataset.status));
      item.hidden = lines.get(item.querySelector("details").id).hidden = !fits;
      shown += fits;
    }
    for (const suite of all("section.suite")) suite.hidden = active && !suite.querySelector("ul.gates > li:not([hidden])");
    document.body.classList.toggle("filtered", active);
    document.getElementById("none").hidden = shown > 0;
    document.getElementById("shown").textContent = active ? `${shown} of ${items.length} gates` : `${items.length} gates`;
  };

  const order = () => {
    const by = sort.value;
    const key = (item) => {
      if (by === "gate") return item.querySelector(".id").textContent;
      return by ? (item.dataset[by] === undefined ? null : Number(item.dataset[by])) : item.first;
    };
    const compare = ordered(key, turn.getAttribute("aria-pressed") === "true", (item) => item.first);
    for (const list of all("ul.gates")) list.append(...Array.from(list.children).sort(compare));
  };

  const tell = () => {
    const told = new URLSearchParams();
    if (find.value) told.set("q", find.value);
    for (const status of chosen()) told.append("status", status);
    if (sort.value) told.set("sort", sort.value);
    if (turn.getAttribute("aria-pressed") === "true") told.set("order", "down");
    history.replaceState(null, "", "#" + (told.toString() || "gates"));
  };

  const clear = () => {
    find.value = "";
    for (const chip of all(".chip", form)) chip.setAttribute("aria-pressed", "false");
    show();
  };

  const follow = () => {
    let hash = location.hash.slice(1);
    if (!hash || openGate(hash)) return;
    let plain;
    try { plain = decodeURIComponent(hash); } catch (error) { return; }
    const short = (text) => text.split("&model=")[0];
    if ([plain, written(plain), written(short(plain))].some(openGate)) return;
    if (form && plain.startsWith("gate=")) {
      find.value = short(plain).slice(5);
      show();
      const found = items.find((item) => !item.hidden);
      if (found) openGate(found.querySelector("details").id);
      return;
    }
    const told = new URLSearchParams(hash);
    if (!form || !["q", "status", "sort", "order"].some((key) => told.has(key))) return;
    find.value = told.get("q") || "";
    for (const chip of all(".chip", form)) chip.setAttribute("aria-pressed", String(told.getAll("status").includes(chip.dataset.status)));
    sort.value = told.get("sort") || "";
    if (sort.selectedIndex < 0) sort.selectedIndex = 0;
    turn.setAttribute("aria-pressed", String(told.get("order") === "down"));
    order();
    show();
  };

  const copy = async (text) => {
    try { await navigator.clipboard.writeText(text); return true; } catch (error) { /* no permission, or no secure context */ }
    const box = document.createElement("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    const done = document.execCommand("copy");
    box.remove();
    return done;
  };

  const addCopy = (details) => {
    for (const code of all("code.copy", details)) {
      if (code.nextElementSibling) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copier";
      button.textContent = "Copy";
      button.setAttribute("aria-label", "Copy the command");
      button.addEventListener("click", async () => {
        button.textContent = (await copy(code.textContent)) ? "Copied" : "Not copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      });
      code.after(" ", button);
    }
  };

  document.addEventListener("toggle", (event) => { if (event.target.open) addCopy(event.target); }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && location.hash === link.getAttribute("href")) openGate(link.getAttribute("href").slice(1));
  });

  for (const table of all("table")) {
    const heads = all("thead th", table);
    if (table.tBodies[0].rows.length < 2) continue;
    heads.forEach((head, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sorter";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        for (const each of heads) each.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const text = (row) => row.cells[at].dataset.sort ?? row.cells[at].textContent.trim().replace(/(\d),(?=\d{3})/g, "$1");
        const lacks = (row) => ["", "–"].includes(text(row));
        const rows = Array.from(table.tBodies[0].rows);
        const numbers = rows.every((row) => lacks(row) || !Number.isNaN(parseFloat(text(row))));
        const key = (row) => (lacks(row) ? null : numbers ? parseFloat(text(row)) : text(row));
        const place = new Map(rows.map((row, k) => [row, k]));
        table.tBodies[0].append(...rows.sort(ordered(key, down, (row) => place.get(row))));
      });
    });
  }

  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    find.addEventListener("input", () => { show(); tell(); });
    sort.addEventListener("change", () => { order(); tell(); });
    turn.addEventListener("click", () => { turn.setAttribute("aria-pressed", String(turn.getAttribute("aria-pressed") !== "true")); order(); tell(); });
    for (const chip of all(".chip", form)) chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      show();
      tell();
    });
    document.getElementById("clear").addEventListener("click", () => { clear(); sort.value = ""; turn.setAttribute("aria-pressed", "false"); order(); tell(); find.focus(); });
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && !event.target.closest("input, select, textarea")) { event.preventDefault(); find.focus(); }
      if (event.key === "Escape" && event.target === find) { clear(); tell(); }
    });
    show();
  }
  addEventListener("hashchange", follow);
  follow();

  const opened = [];
  addEventListener("beforeprint", () => {
    for (const item of all("li.fail > details, li.insufficient > details, li.warn > details")) {
      if (!item.open) { item.open = true; opened.push(item); }
    }
  });
  addEventListener("afterprint", () => { while (opened.length) opened.pop().open = false; });
})();
