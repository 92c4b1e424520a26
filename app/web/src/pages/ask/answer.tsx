// One answer as a card: its text with the mentions as chips, what was selected and how surely, and what to do.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Answer } from "../../api/types";
import { ask, type Question, type Waiting } from "./store";
import { post } from "../../api/http";
import { report } from "../../ui/notices";
import { Working } from "../../ui/progress";
import { Target } from "./target";

const DECIDED: Record<string, string> = { model: "the model", text: "the text on the mark", position: "the position", accessibility: "the accessibility tree" };

/** A mark's id as something to point at. */
function Chip({ id, children }: { id: string; children: ComponentChildren }) {
  return <button type="button" class="chip" aria-label={`Mark ${id}`} onClick={() => ask.focus.pin(id)} {...ask.focus.lights(id)}>{children}</button>;
}

interface Span {
  start: number;
  end: number;
  ids: string[];
}

/** Text with chips in place of spans; spans count code points, JavaScript counts UTF-16 units. */
function WithChips({ text, spans, keep = false }: { text: string; spans: Span[]; keep?: boolean }) {
  const points = Array.from(text);
  const parts: ComponentChildren[] = [];
  let at = 0;
  for (const { start, end, ids } of spans.toSorted((a, b) => a.start - b.start)) {
    if (start < at || end > points.length || end <= start) continue;
    const words = points.slice(start, end).join("");
    parts.push(points.slice(at, start).join(""));
    if (keep) parts.push(<span class="phrase">{words}{ids.length ? ids.map((id) => <Chip id={id}>{id}</Chip>) : <span class="soft small"> no mark</span>}</span>);
    else parts.push(<Chip id={ids[0]!}>{words}</Chip>);
    at = end;
  }
  parts.push(points.slice(at).join(""));
  return <p class="answer-text">{parts}</p>;
}

function Confidence({ id, share, word }: { id: string; share: number | null; word?: string }) {
  const percent = share === null ? 0 : Math.round(100 * share);
  return (
    <li class={word === undefined ? "confidence" : "confidence named"}>
      <Chip id={id}>{id}</Chip>
      {word !== undefined && <span class="cut">{word}</span>}
      <span class="meter" role="meter" aria-label={`Confidence in mark ${id}`} aria-valuemin={0} aria-valuemax={100} aria-valuenow={share === null ? undefined : percent}
        aria-valuetext={share === null ? "not told" : `${percent} %`}><span class="fill" style={{ width: `${percent}%` }} /></span>
      <span class="soft small number">{share === null ? "not told" : `${percent} %`}</span>
    </li>
  );
}

function ActionLine({ answer }: { answer: Answer }) {
  const { action } = answer;
  if (!action) return null;
  const [x, y] = action.point_xy_px.map((value) => Math.round(10 * value) / 10);
  const verb = { click: "Click", type: "Type", select: "Select" }[action.type] ?? action.type;
  const steps = action.steps?.openai;
  return (
    <>
      <p class="action"><span class="aim" aria-hidden="true" /><strong>{verb}</strong>{action.text ? ` “${action.text}”` : ""} on <Chip id={action.mark}>{action.mark}</Chip> at {x}, {y}</p>
      {steps && steps.length !== 1 && <p class="soft small">{steps.length ? `${steps.length} steps: ${steps.map((step) => String(step.type)).join(", ")}` : "Nothing to do: it is so already."}</p>}
    </>
  );
}

function Remarks({ answer }: { answer: Answer }) {
  return (
    <>
      {answer.none_of_these && <p class="remark">None of the marks fits{answer.none_confidence === null ? "" : ` (${Math.round(100 * answer.none_confidence)} % sure)`}.</p>}
      {answer.unresolved.length > 0 && <p class="remark warn">Named, but not in this picture: {answer.unresolved.map((id) => <><s class="missing">{id}</s> </>)}</p>}
      {answer.warnings.length > 0 && <p class="remark">The picture itself shows what looks like a mark: {answer.warnings.map(({ text, mark }) => `“${text}”${mark ? ` on ${mark}` : ""}`).join(", ")}. Check before acting.</p>}
    </>
  );
}

function Foot({ answer }: { answer: Answer }) {
  const [open, setOpen] = useState(false);
  const total = answer.timing_ms.total ?? Object.values(answer.timing_ms).reduce((sum, value) => sum + value, 0);
  const stages = Object.entries(answer.timing_ms).map(([name, value]) => `${name} ${Math.round(value)} ms`).join(", ");
  return (
    <div class="answer-foot soft small">
      <span>Decided by {DECIDED[answer.decided_by] ?? answer.decided_by}</span>
      <span>{answer.model.name} {answer.model.version}</span>
      <span title={stages}>{total >= 1000 ? `${(total / 1000).toFixed(1)} s` : `${Math.round(total)} ms`}</span>
      <details onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
        <summary>JSON</summary>
        {open && <pre class="code" tabIndex={0}>{JSON.stringify(answer, null, 2)}</pre>}
      </details>
    </div>
  );
}

function wordsOf({ query, task }: Pick<Question, "query" | "task">): string {
  return query || (task === "classify" ? "What is each mark?" : task === "correspond" ? "Which marks are the same?" : "List the marks");
}

export function AnswerCard({ answer }: { answer: Answer }) {
  const open = ask.open.value === answer.id;
  const mentions = answer.mentions.map(({ mark, char_start: start, char_end: end }) => ({ start, end, ids: [mark] }));
  // A list says its names in its text already.
  const named = answer.labels.length > 0 && !(answer.text && answer.labels.every(({ confidence }) => confidence === null));
  const phrases = answer.phrases.map(({ char_start: start, char_end: end, marks }) => ({ start, end, ids: marks }));
  return (
    <li class={open ? "answer open" : "answer"} data-answer={answer.id}>
      <button type="button" class="question" aria-pressed={open} title="Show this answer in the picture" onClick={() => ask.light(open ? null : answer)}>
        <span class="query">{wordsOf({ query: answer.query ?? "", task: answer.task })}</span><span class="badge">{answer.task}</span>
      </button>
      {answer.phrases.length > 0 && answer.query ? <WithChips text={answer.query} spans={phrases} keep /> : answer.text && <WithChips text={answer.text} spans={mentions} />}
      {answer.selected.length > 0 && <ul class="confidences" aria-label="Selected marks">{answer.selected.map(({ mark, confidence }) => <Confidence key={mark} id={mark} share={confidence} />)}</ul>}
      {named && <ul class="confidences" aria-label="Names of the marks">{answer.labels.map(({ mark, label, confidence }) => <Confidence key={mark} id={mark} share={confidence} word={label} />)}</ul>}
      {answer.correspondences.length > 0 && <Target answer={answer} />}
      <Remarks answer={answer} />
      <ActionLine answer={answer} />
      <Foot answer={answer} />
    </li>
  );
}

export function WaitingCard({ waiting: { question, step, job } }: { waiting: Waiting }) {
  const cancel = () => { if (job) void post(`/v1/jobs/${job.id}/cancel`).catch(report); };
  return (
    <li class="answer waiting">
      <p class="question"><span class="query">{wordsOf(question)}</span><span class="badge">{question.task}</span></p>
      <Working step={step} label="Asking" onCancel={cancel} />
    </li>
  );
}
