// One answer as a card: its text with the mentions as chips, what was selected and how surely, and what to do.

import { make } from "./dom.js";

const DECIDED = { model: "the model", text: "the text on the mark", position: "the position", accessibility: "the accessibility tree" };

/** The marks that an answer puts into the light. */
export function namedBy(answer) {
  const ids = [...answer.mentions.map(({ mark }) => mark), ...answer.selected.map(({ mark }) => mark)];
  if (answer.action?.mark) ids.push(answer.action.mark);
  return ids.filter((id) => !answer.unresolved.includes(id));
}

/** A mark's id as something to point at. */
function chip(id, text, focus) {
  const node = make("button", { type: "button", class: "chip", "data-mark": id, "aria-label": `Mark ${id}`,
    onclick: () => focus.pin(id) }, text);
  return focus.lights(node, id);
}

/** The text with its mentions; spans count code points, JavaScript counts UTF-16 units. */
export function textWithMentions(answer, focus) {
  const points = Array.from(answer.text);
  const spans = answer.mentions.toSorted((a, b) => a.char_start - b.char_start);
  const parts = [];
  let at = 0;
  for (const { mark, char_start: start, char_end: end } of spans) {
    if (start < at || end > points.length || end <= start) continue;
    parts.push(points.slice(at, start).join(""), chip(mark, points.slice(start, end).join(""), focus));
    at = end;
  }
  parts.push(points.slice(at).join(""));
  return make("p", { class: "answer-text" }, ...parts.filter((part) => part !== ""));
}

function confidences(answer, focus) {
  if (!answer.selected.length) return null;
  const rows = answer.selected.map(({ mark, confidence }) => {
    const fill = make("span", { class: "fill" });
    const known = typeof confidence === "number";
    const percent = known ? Math.round(100 * confidence) : 0;
    fill.style.width = `${percent}%`;
    return make("li", { class: "confidence" }, chip(mark, mark, focus),
      make("span", { class: "meter", role: "meter", "aria-label": `Confidence in mark ${mark}`, "aria-valuemin": 0, "aria-valuemax": 100,
        "aria-valuenow": known ? percent : null }, fill),
      make("span", { class: "soft number" }, known ? `${percent} %` : "not told"));
  });
  return make("ul", { class: "confidences", "aria-label": "Selected marks" }, ...rows);
}

function warnings(answer) {
  const found = [];
  if (answer.none_of_these) found.push(make("p", { class: "remark" }, "None of the marks fits this question."));
  if (answer.unresolved.length) {
    const ids = answer.unresolved.flatMap((id) => [make("s", { class: "missing" }, id), " "]);
    found.push(make("p", { class: "remark warn" }, "Named, but not in this picture: ", ...ids));
  }
  return found;
}

function actionLine(answer, focus) {
  const { action } = answer;
  if (!action) return null;
  const [x, y] = action.point_xy_px.map((value) => Math.round(10 * value) / 10);
  const verb = { click: "Click", type: "Type", select: "Select" }[action.type] || action.type;
  return make("p", { class: "action" }, make("span", { class: "aim", "aria-hidden": "true" }),
    make("strong", {}, verb), action.text ? ` “${action.text}”` : "", " on ", chip(action.mark, action.mark, focus), ` at ${x}, ${y}`);
}

function footer(answer) {
  const total = answer.timing_ms.total ?? Object.values(answer.timing_ms).reduce((sum, value) => sum + value, 0);
  const stages = Object.entries(answer.timing_ms).map(([name, value]) => `${name} ${Math.round(value)} ms`).join(", ");
  const raw = make("pre", { tabindex: 0 });
  const details = make("details", { ontoggle: () => { raw.textContent = JSON.stringify(answer, null, 2); } },
    make("summary", {}, "JSON"), raw);
  const time = total >= 1000 ? `${(total / 1000).toFixed(1)} s` : `${Math.round(total)} ms`;
  return make("div", { class: "answer-foot soft small" },
    make("span", {}, `Decided by ${DECIDED[answer.decided_by] || answer.decided_by}`),
    make("span", {}, `${answer.model.name} ${answer.model.version}`),
    make("span", { title: stages }, time), details);
}

/** Build the card; `onOpen` is called when the person wants this answer in the picture. */
export function answerCard(answer, focus, onOpen) {
  const question = make("button", { type: "button", class: "question", "aria-pressed": "false", title: "Show this answer in the picture",
    onclick: onOpen }, make("span", { class: "query" }, answer.query || "List the marks"), make("span", { class: "badge" }, answer.task));
  const text = answer.text ? textWithMentions(answer, focus) : null;
  return make("li", { class: "answer", "data-answer": answer.id }, question, text, confidences(answer, focus), ...warnings(answer),
    actionLine(answer, focus), footer(answer));
}
