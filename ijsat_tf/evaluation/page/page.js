"use strict";
// A click on a heading sorts by its column: upwards, downwards, as printed.
// What has no value comes last either way; differences stay below their rows.
const next = { none: "ascending", ascending: "descending", descending: "none" };
const letters = new Intl.Collator("en", { numeric: true });

function compare(one, other) {
  const numbers = Number(one) - Number(other);
  return Number.isNaN(numbers) ? letters.compare(one, other) : numbers;
}

function sorted(rows, column, order) {
  const value = (row) => row.cells[column].dataset.value;
  const group = (row) =>
    row.classList.contains("difference") ? 2 : value(row) === undefined ? 1 : 0;
  const sign = order === "descending" ? -1 : 1;
  return rows.toSorted(
    (one, other) =>
      group(one) - group(other) ||
      (group(one) ? 0 : sign * compare(value(one), value(other))),
  );
}

for (const table of document.querySelectorAll("table")) {
  const headers = [...table.tHead.rows[0].cells];
  const printed = new Map(
    [...table.tBodies].map((body) => [body, [...body.rows]]),
  );
  for (const header of headers) {
    header.ariaSort = "none";
    header.firstElementChild.addEventListener("click", () => {
      const order = next[header.ariaSort];
      for (const other of headers) other.ariaSort = "none";
      header.ariaSort = order;
      for (const [body, rows] of printed) {
        const column = header.cellIndex;
        body.append(
          ...(order === "none" ? rows : sorted(rows, column, order)),
        );
      }
    });
  }
}
