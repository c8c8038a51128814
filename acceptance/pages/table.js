// Tables whose rows stand as JSON beside them: sorted by a click on a heading, filtered by words and badges, a page of rows at a time.
// Cells are made with textContent and src alone: no text becomes markup.
(() => {
  const make = (name, parent, properties) => parent.appendChild(Object.assign(document.createElement(name), properties));
  const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  const cells = {
    text(cell, value) { cell.textContent = value ?? "–"; },
    number(cell, value, column) { cell.textContent = value === null ? "–" : value.toFixed(column.digits); },
    badge(cell, value) { if (value !== null) make("span", cell, { textContent: value, className: "badge " + value.replace(/[^\w-]/g, "") }); },
    player(cell, value) { if (value !== null) make("audio", cell, { controls: true, preload: "none", src: value }); },
    picture(cell, value) { if (value !== null) make("img", cell, { src: value, alt: "mel spectrogram" }); },
  };

  function start(box) {
    const { columns, rows, rows_per_page: size, sorted_by, descending } = JSON.parse(box.querySelector("script").textContent);
    const texts = columns.map((column, index) => [column, index]).filter(([column]) => column.kind === "text" || column.kind === "badge");
    const words = rows.map((row) => texts.map(([, index]) => row[index] ?? "").join("\n").toLowerCase());
    const state = { by: sorted_by, down: descending, page: 0, text: "", chosen: new Map() };
    let shown = rows.map((_, index) => index);

    const bar = make("div", box, { className: "bar" });
    const label = make("label", bar, { textContent: "Filter " });
    const input = make("input", label, { type: "search", placeholder: "words" });
    columns.forEach((column, index) => {
      if (column.kind !== "badge") return;
      const values = [...new Set(rows.map((row) => row[index]))].filter((value) => value !== null).sort();
      if (values.length < 2 || values.length > 30) return;
      const select = make("select", make("label", bar, { textContent: column.title + " " }), {});
      make("option", select, { value: "", textContent: "all" });
      for (const value of values) make("option", select, { value, textContent: value });
      select.addEventListener("change", () => {
        if (select.value) state.chosen.set(index, select.value); else state.chosen.delete(index);
        update();
      });
    });
    const count = make("span", bar, { className: "count" });
    count.setAttribute("role", "status");

    const frame = make("div", box, { className: "scroll", tabIndex: 0 });
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", box.dataset.caption);
    const table = make("table", frame, {});
    make("caption", table, { textContent: box.dataset.caption, className: "hidden" });
    const headings = columns.map(function (column, index) {
      const heading = make("th", this, { scope: "col", className: column.kind });
      if (column.kind === "player" || column.kind === "picture") heading.textContent = column.title;
      else make("button", heading, { type: "button", textContent: column.title }).addEventListener("click", () => {
        // Numbers start with the highest: that is what people look for.
        state.down = state.by === index ? !state.down : column.kind === "number";
        state.by = index;
        update(true);
      });
      return heading;
    }, make("tr", make("thead", table, {}), {}));
    const body = make("tbody", table, {});
    const pager = make("div", box, { className: "bar pager" });
    const step = (text, by) => {
      const button = make("button", pager, { type: "button", textContent: text });
      button.addEventListener("click", () => { state.page += by; draw(); });
      return button;
    };
    const back = step("Previous rows", -1), on = step("Next rows", 1);

    function compare(one, other) {
      const a = rows[one][state.by], b = rows[other][state.by];
      if (a === null || b === null) return (a === null) - (b === null) || one - other;
      const found = typeof a === "number" ? a - b : order.compare(a, b);
      return (state.down ? -found : found) || one - other;
    }
    function update(sort) {
      const wanted = state.text.toLowerCase().split(/\s+/).filter(Boolean);
      shown = rows.map((_, index) => index).filter((index) =>
        wanted.every((word) => words[index].includes(word)) && [...state.chosen].every(([column, value]) => rows[index][column] === value));
      if (sort || state.by !== sorted_by || state.down !== descending) { if (state.by !== null) shown.sort(compare); }
      state.page = 0;
      draw();
    }
    function draw() {
      const first = state.page * size, last = Math.min(first + size, shown.length);
      count.textContent = shown.length ? `rows ${first + 1} to ${last} of ${shown.length}` : "no row fits";
      if (shown.length < rows.length) count.textContent += ` (${rows.length} in all)`;
      headings.forEach((heading, index) => {
        if (index === state.by) heading.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        else heading.removeAttribute("aria-sort");
      });
      body.replaceChildren(...shown.slice(first, last).map((index) => {
        const line = document.createElement("tr");
        columns.forEach((column, place) => cells[column.kind](make("td", line, { className: column.kind }), rows[index][place], column));
        return line;
      }));
      back.disabled = state.page === 0;
      on.disabled = last >= shown.length;
      pager.hidden = shown.length <= size;
    }
    let waiting;
    input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(() => { state.text = input.value; update(); }, 120); });
    draw();
  }
  for (const box of document.querySelectorAll("[data-table]")) start(box);
})();
