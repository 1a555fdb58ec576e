"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const STATES = data.states, WORDS = {ok: "good", warn: "soon", fail: "needs you", unknown: "unknown", none: "not used"};
  const MARKS = {ok: "\u2713", warn: "\u25B2", fail: "\u2715", unknown: "?", none: "\u2013"};
  const FIELDS = ["q", "check", "group", "by", "sort"];
  const table = byId("hosts"), collator = new Intl.Collator("en", {numeric: true});
  const view = {q: "", state: "", check: "", group: "", by: "", sort: "state", open: ""};

  const make = (tag, name, text) => {
    const element = document.createElement(tag);
    if (name) element.className = name;
    if (text !== undefined) element.textContent = text;
    const role = {tr: "row", td: "cell", thead: "rowgroup", tbody: "rowgroup"}[tag];
    if (role) element.setAttribute("role", role);
    return element;
  };

  // Cells arrive as [state, value, reason, command], the last two only where there are any.
  const hosts = data.hosts.map((row) => ({
    name: row[0], groups: row[1].map((index) => data.groups[index]), state: STATES[row[2]], distribution: row[3],
    kernel: row[4], reason: row[5], command: row[6], row: null,
    cells: row[7].map((cell) => ({state: STATES[cell[0]], value: cell[1], reason: cell[2] || "", command: cell[3] || ""})),
  }));
  for (const host of hosts) {
    host.text = [host.name, host.reason, host.distribution, ...host.groups,
      ...host.cells.flatMap((cell) => [cell.value, cell.reason])].join("\n").toLowerCase();
  }
  const isFinding = (cell) => cell !== undefined && ["fail", "warn", "unknown"].includes(cell.state);
  const rank = (state) => STATES.indexOf(state);

  // Columns are as wide as their longest values need, in proportion; a long one is cut, and stands whole in the details.
  const widths = data.checks.map((check, index) => Math.min(15, Math.max(check[1].length,
    ...hosts.map((host) => host.cells[index] ? host.cells[index].value.length + (isFinding(host.cells[index]) ? 1.5 : 0) : 0)) + 1.5));
  table.style.setProperty("--columns", widths.map((width) => `minmax(0, ${width}fr)`).join(" "));
  const head = make("thead"), heads = make("tr");
  const column = (id, title) => {
    const cell = make("th"), button = make("button", "", title);
    cell.setAttribute("role", "columnheader");
    cell.scope = "col";
    cell.dataset.sort = id;
    button.type = "button";
    button.addEventListener("click", () => {
      view.sort = view.sort === id ? "-" + id : id;
      show();
    });
    cell.append(button);
    return cell;
  };
  heads.append(column("name", "Host"), ...data.checks.map((check) => column(check[0], check[1])));
  head.append(heads);
  table.append(head);

  const marked = (state) => {
    const mark = make("span", "mark " + state, MARKS[state]);
    mark.setAttribute("aria-hidden", "true");
    return mark;
  };
  const cellOf = (cell, index) => {
    const td = make("td", cell.state);
    td.dataset.title = data.checks[index][1];
    const shown = make("span", "v", cell.state === "none" ? MARKS.none : cell.value || WORDS[cell.state]);
    if (cell.reason) td.title = cell.reason;
    if (isFinding(cell)) shown.prepend(make("span", "hidden", WORDS[cell.state] + ": "));
    td.append(shown);
    return td;
  };
  const build = (host, number) => {
    const row = make("tr", "host"), th = make("th"), button = make("button");
    th.scope = "row";
    th.setAttribute("role", "rowheader");
    button.type = "button";
    button.setAttribute("aria-expanded", "false");
    button.append(marked(host.state), make("span", "name", host.name), make("span", "hidden", ", " + WORDS[host.state]));
    host.number = number;
    th.append(button);
    row.append(th);
    if (host.cells.length) {
      row.append(...host.cells.map(cellOf));
    } else {
      const td = make("td", "silent", host.reason);
      row.append(td);
    }
    row.addEventListener("click", () => {
      if (String(getSelection())) return;
      toggle(host);
      view.open = host.detail ? host.name : "";
      keep();
    });
    host.row = row;
    host.button = button;
  };

  const finding = (title, state, reason, command) => {
    const item = make("li"), line = make("div");
    line.append(marked(state), " ", make("strong", "", title), " ", reason);
    item.append(line);
    if (command) {
      const run = make("div", "run"), text = make("pre", "", command), copy = make("button", "", "Copy");
      copy.type = "button";
      copy.setAttribute("aria-label", "Copy the command: " + command);
      copy.addEventListener("click", async (event) => {
        event.stopPropagation();
        try {
          await navigator.clipboard.writeText(command);
          copy.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(text);
          copy.textContent = "Selected";
        }
        setTimeout(() => { copy.textContent = "Copy"; }, 1500);
      });
      run.append(text, copy);
      item.append(run);
    }
    return item;
  };
  const toggle = (host) => {
    host.button.setAttribute("aria-expanded", String(!host.detail));
    if (host.detail) {
      host.detail.remove();
      host.detail = null;
      return;
    }
    const row = make("tr", "detail"), cell = make("td"), list = make("ul", "findings");
    if (!host.cells.length) list.append(finding("No answer.", "fail", host.reason, host.command));
    for (const wanted of ["fail", "warn", "unknown"]) {
      host.cells.forEach((item, index) => {
        if (item.state === wanted) list.append(finding(data.checks[index][1] + ".", wanted, item.reason, item.command));
      });
    }
    if (!list.children.length) list.append(finding("Nothing to do.", "ok", "All checks are good.", ""));
    const more = [host.distribution, host.kernel && "kernel " + host.kernel, host.groups.join(", ")].filter(Boolean);
    cell.append(list, make("p", "more", more.join(" \u00B7 ")));
    row.append(cell);
    row.id = "detail-" + host.number;
    host.button.setAttribute("aria-controls", row.id);
    host.row.after(row);
    host.detail = row;
  };

  const matches = (host, words) =>
    (!view.state || (view.state === "silent" ? !host.cells.length : host.state === view.state)) &&
    (!view.group || host.groups.includes(view.group)) &&
    (!view.check || isFinding(host.cells[checkIndex(view.check)])) &&
    words.every((word) => host.text.includes(word));
  const checkIndex = (id) => data.checks.findIndex((check) => check[0] === id);
  const compare = () => {
    const down = view.sort.startsWith("-") ? -1 : 1, id = view.sort.replace(/^-/, ""), index = checkIndex(id);
    return (one, other) => {
      let order = 0;
      if (id === "name") order = collator.compare(one.name, other.name);
      else if (id === "state" || index < 0) order = rank(other.state) - rank(one.state) || (findings(other) - findings(one) || 0);
      else {
        const [a, b] = [one.cells[index], other.cells[index]];
        order = a && b ? rank(b.state) - rank(a.state) || collator.compare(a.value, b.value) : (b ? -1 : 0) + (a ? 1 : 0);
      }
      return order * down || collator.compare(one.name, other.name);
    };
  };
  // A host that does not answer comes first.
  const findings = (host) => host.cells.length ? host.cells.filter((cell) => cell.state === "fail").length : Infinity;
  // The group that says most: not one of all hosts, if there is another.
  const isTelling = (group) => hosts.some((host) => !host.groups.includes(group));
  const telling = new Set(data.groups.filter(isTelling));
  const keysOf = (host) => ({
    "": () => [""],
    state: () => [WORDS[host.state]],
    group: () => [host.groups.find((group) => telling.has(group)) || host.groups[0] || "no group"],
    engine: () => [host.cells.length ? host.cells[0].value || "none" : "no answer"],
    distribution: () => [host.distribution || "no answer"],
  }[view.by] || (() => [""]))();

  let arranged = "";
  // Rows are put in order only when the order changes; a filter hides them.
  const arrange = () => {
    const wanted = view.sort + "\n" + view.by;
    if (wanted === arranged) return;
    arranged = wanted;
    table.querySelectorAll("tbody").forEach((body) => body.remove());
    const ordered = [...hosts].sort(compare()), sections = new Map();
    for (const host of ordered) {
      const key = keysOf(host)[0];
      if (!sections.has(key)) sections.set(key, []);
      sections.get(key).push(host);
    }
    for (const [key, members] of sections) {
      const body = make("tbody");
      if (view.by) {
        const row = make("tr", "section"), th = make("th", "", key + " ");
        th.setAttribute("role", "rowheader");
        th.scope = "rowgroup";
        const bad = members.filter((host) => host.state === "fail").length;
        th.append(make("span", "", members.length + (members.length === 1 ? " host" : " hosts") + (bad ? ", " + bad + " in need" : "")));
        row.append(th);
        body.append(row);
      }
      for (const host of members) {
        body.append(host.row);
        if (host.detail) host.row.after(host.detail);
      }
      table.append(body);
    }
    for (const cell of heads.children) {
      const id = view.sort.replace(/^-/, "");
      if (cell.dataset.sort === id) cell.setAttribute("aria-sort", view.sort === id ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
  };

  const show = () => {
    arrange();
    const words = view.q.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const host of hosts) {
      const visible = matches(host, words);
      shown += visible;
      if (host.row.hidden === visible) host.row.hidden = !visible;
      if (host.detail) host.detail.hidden = !visible;
    }
    for (const body of view.by ? table.tBodies : []) body.hidden = !body.querySelector("tr.host:not([hidden])");
    byId("count").textContent = shown === hosts.length ? "" : shown ? shown + " of " + hosts.length + " hosts shown" : "No host matches.";
    for (const field of FIELDS) {
      const value = field === "sort" ? view.sort.replace(/^-/, "") : view[field];
      if (byId(field).value !== value) byId(field).value = value;
    }
    document.querySelectorAll("[data-state]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.state === view.state));
    });
    keep();
  };
  const keep = () => {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(view)) if (value && !(name === "sort" && value === "state")) parameters.set(name, value);
    const fragment = parameters.toString();
    if (location.hash.slice(1) !== fragment) history.replaceState(null, "", fragment ? "#" + fragment : location.pathname + location.search);
  };
  const read = () => {
    const parameters = new URLSearchParams(location.hash.slice(1));
    for (const name of Object.keys(view)) view[name] = parameters.get(name) || (name === "sort" ? "state" : "");
    show();
    const host = hosts.find((item) => item.name === view.open);
    if (host && !host.detail) toggle(host);
  };

  hosts.forEach(build);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const field of FIELDS) {
    byId(field).addEventListener("input", (event) => {
      view[field] = event.target.value;
      show();
    });
  }
  document.querySelectorAll("[data-state]").forEach((button) => {
    button.addEventListener("click", () => {
      view.state = view.state === button.dataset.state ? "" : button.dataset.state;
      show();
    });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) {
      event.preventDefault();
      byId("q").focus();
    }
  });
  addEventListener("hashchange", read);
  const made = byId("made");
  made.textContent = new Date(made.dateTime).toLocaleString([], {dateStyle: "medium", timeStyle: "short"});
  made.title = made.dateTime;
  read();
})();
