// Tables whose rows stand as JSON beside them: sorted by a click on a heading, filtered by words and badges, a page of rows at a time.
// Cells are made with textContent and src alone: no text becomes markup.
(() => {
  const make = (name, parent, properties) => parent.appendChild(Object.assign(document.createElement(name), properties));
  const order = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  const cells = {
    text(cell, value) { cell.textContent = value ?? "–"; },
    number(cell, value, column) { cell.textContent = value === null ? "–" : value.toFixed(column.digits); },
    badge(cell, value) { if (value !== null) make("span", cell, { textContent: value, className: "badge " + value.replace(/[^\w-]/g, "") }); },
    player(cell, value, column, name) { if (value !== null) make("audio", cell, { controls: true, preload: "none", src: value, ariaLabel: name }); },
    picture(cell, value, column, name) { if (value !== null) make("img", cell, { src: value, alt: "mel spectrogram, " + name, loading: value.startsWith("data:") ? "eager" : "lazy" }); },
  };

  function start(box) {
    const { columns, rows, rows_per_page: size, sorted_by, descending } = JSON.parse(box.querySelector("script").textContent);
    const isText = (column) => column.kind === "text" || column.kind === "badge";
    const texts = columns.flatMap((column, index) => isText(column) ? [index] : []);
    const names = columns.flatMap((column, index) => column.kind === "text" ? [index] : []).slice(0, 2);
    const words = rows.map((row) => texts.map((index) => row[index] ?? "").join("\n").toLowerCase());
    const state = { by: sorted_by, down: descending, page: 0, text: "", chosen: new Map() };
    let shown = rows.map((_, index) => index);

    const bar = make("div", box, { className: "bar" });
    const input = make("input", make("label", bar, { textContent: "Filter " }), { type: "search", placeholder: "words" });
    columns.forEach((column, index) => {
      if (column.kind !== "badge") return;
      const values = [...new Set(rows.map((row) => row[index]))];
      if (values.length < 2 || values.length > 30) return;
      const select = make("select", make("label", bar, { textContent: column.title + " " }), {});
      make("option", select, { value: "", textContent: "all" });
      for (const value of values.filter((one) => one !== null).sort()) make("option", select, { value, textContent: value });
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
    const line = make("tr", make("thead", table, {}), {});
    const headings = columns.map((column, index) => {
      const heading = column.below ? line.lastChild : make("th", line, { scope: "col", className: column.kind });
      const part = make("div", heading, {});
      if (column.kind === "player" || column.kind === "picture") part.textContent = column.title;
      else make("button", part, { type: "button", textContent: column.title }).addEventListener("click", () => {
        // Numbers start with the highest: that is what people look for.
        state.down = state.by === index ? !state.down : column.kind === "number";
        state.by = index;
        update(true);
      });
      return part;
    });
    const body = make("tbody", table, {});
    const pager = make("div", box, { className: "bar pager" });
    const step = (text, by) => {
      const button = make("button", pager, { type: "button", textContent: text });
      button.addEventListener("click", () => { state.page += by; draw(); });
      return button;
    };
    const back = step("Previous rows", -1);
    const number = make("input", make("label", pager, { textContent: "Page " }), { type: "number", min: 1, className: "page" });
    const pages = make("span", pager, {});
    const on = step("Next rows", 1);
    number.addEventListener("change", () => {
      state.page = Math.min(Math.max(Math.trunc(number.valueAsNumber || 1), 1), last()) - 1;
      draw();
    });
    const last = () => Math.max(1, Math.ceil(shown.length / size));

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
    function drawn(index) {
      const line = document.createElement("tr"), name = names.map((each) => rows[index][each]).join(": ");
      let cell;
      columns.forEach((column, place) => {
        if (!column.below) cell = make("td", line, { className: column.kind });
        const part = make("div", cell, { className: column.kind });
        if (column.kind === "number") part.dataset.title = column.title; // for narrow screens, where no heading stands above it
        cells[column.kind](part, rows[index][place], column, name);
        if (column.below && rows[index][place] === null) part.remove();
      });
      return line;
    }
    function draw() {
      const first = state.page * size, end = Math.min(first + size, shown.length);
      count.textContent = shown.length ? `rows ${first + 1} to ${end} of ${shown.length}` : "no row fits";
      if (shown.length < rows.length) count.textContent += ` (${rows.length} in all)`;
      headings.forEach((part, index) => {
        if (index === state.by) part.dataset.sorted = state.down ? "down" : "up"; else delete part.dataset.sorted;
      });
      for (const heading of line.children) {
        const sorted = heading.querySelector("[data-sorted]");
        if (sorted) heading.setAttribute("aria-sort", sorted.dataset.sorted === "down" ? "descending" : "ascending");
        else heading.removeAttribute("aria-sort");
      }
      body.replaceChildren(...shown.slice(first, end).map(drawn));
      back.disabled = state.page === 0;
      on.disabled = end >= shown.length;
      number.value = state.page + 1;
      number.max = last();
      pages.textContent = `of ${last()}`;
      pager.hidden = shown.length <= size;
    }
    let waiting;
    const filter = () => { state.text = input.value; update(); };
    input.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
    // <button data-filter="words"> elsewhere in the page: the first table shows the rows with these words, whatever was chosen before.
    if (box === document.querySelector("[data-table]")) document.addEventListener("click", (event) => {
      const button = event.target.closest("button[data-filter]");
      if (!button) return;
      for (const select of bar.querySelectorAll("select")) select.value = "";
      state.chosen.clear();
      input.value = button.dataset.filter;
      filter();
      bar.scrollIntoView();
      input.focus({ preventScroll: true });
    });
    draw();
  }
  for (const box of document.querySelectorAll("[data-table]")) start(box);
})();
