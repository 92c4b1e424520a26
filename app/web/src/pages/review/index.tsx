// Review: one text at a time beside its marked picture; a, e and r accept, edit and reject it.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Box, Mark, Text } from "../../api/types";
import { useComeback } from "../../health";
import { go, href, route } from "../../router";
import { CannotShow, Empty, PageHead } from "../../ui/parts";
import { Rates } from "./rates";
import { type Case, Review, setOf } from "./store";
import "./review.css";

const STATES: [string, string][] = [["unreviewed", "not reviewed"], ["accepted", "accepted"], ["edited", "edited"], ["rejected", "rejected"], ["all", "all"]];

function notesOf({ text }: Case): string[] {
  const failed = text.provenance.checks_failed;
  const notes = Array.isArray(failed) ? failed.map(String) : [];
  if (text.outdated) notes.push(text.outdated.fits ? "Its marks were corrected; it still fits." : "Its marks were corrected; it no longer fits: edit or reject it.");
  return notes;
}

function kindOf({ text }: Case): string {
  const { model, writer } = text.provenance as { model?: { name?: string }; writer?: string };
  return [text.kind, model?.name || writer, text.review].filter(Boolean).join(" · ");
}

function Turns({ text, form }: { text: Text; form: { current: HTMLOListElement | null } }) {
  useEffect(() => form.current?.querySelector<HTMLTextAreaElement>("li.gpt textarea")?.focus(), []);
  return (
    <ol class="turns" id="review-turns" aria-label="The conversation" ref={form}>
      {text.conversations.map(({ from, value }, number) => (
        <li class={from} key={number}>
          <textarea rows={Math.min(14, 2 + value.split("\n").length)} data-from={from} aria-label={`Turn ${number + 1}, ${from}`} defaultValue={value} />
        </li>
      ))}
    </ol>
  );
}

function Words({ text }: { text: Text }) {
  return (
    <ol class="turns" id="review-turns" aria-label="The conversation">
      {text.conversations.map(({ from, value }, number) => <li class={from} key={number}><span class="soft small">{from}</span><p>{value}</p></li>)}
    </ol>
  );
}

const boxText = (mark: Mark | undefined): string => (mark ? mark.bbox_xyxy_px.map(Math.round).join(", ") : "");

function Correct({ marks, onCorrect }: { marks: Mark[]; onCorrect: (mark: Mark, changes: { text?: string; bbox_xyxy_px?: Box }) => void }) {
  const [id, setId] = useState(marks[0]?.id ?? "");
  const mark = marks.find((one) => one.id === id);
  const [name, setName] = useState(mark?.text ?? "");
  const [box, setBox] = useState(boxText(mark));
  const choose = (next: string) => {
    const found = marks.find((one) => one.id === next);
    setId(next);
    setName(found?.text ?? "");
    setBox(boxText(found));
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (!mark) return;
    const sides = box.split(",").map(Number) as Box;
    const moved = sides.some((value, side) => value !== Math.round(mark.bbox_xyxy_px[side]!));
    const changes = { ...(name !== (mark.text ?? "") ? { text: name } : {}), ...(moved ? { bbox_xyxy_px: sides } : {}) };
    if (Object.keys(changes).length) onCorrect(mark, changes);
  };
  return (
    <form class="row wrap correct" id="correct" onSubmit={submit}>
      <label class="field">Correct mark <select id="correct-mark" value={id} onChange={(event) => choose(event.currentTarget.value)}>{marks.map((one) => <option key={one.id} value={one.id}>{one.id}</option>)}</select></label>
      <label class="field">Name <input type="text" id="correct-name" maxLength={1000} value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
      <label class="field">Box in px <input type="text" id="correct-box" inputMode="numeric" size={18} value={box} onInput={(event) => setBox(event.currentTarget.value)} /></label>
      <button type="submit" class="button small">Correct</button>
    </form>
  );
}

function Card({ review, shown }: { review: Review; shown: Case }) {
  const [reason, setReason] = useState("");
  const form = useRef<HTMLOListElement>(null);
  const editing = review.editing.value;
  const { text, marks } = shown;

  const save = () => {
    const areas = [...(form.current?.querySelectorAll("textarea") ?? [])];
    void review.judge({ review: "edited", conversations: areas.map((area) => ({ from: area.dataset.from!, value: area.value })) }, reason);
  };
  const act: Record<string, () => void> = {
    a: () => void review.judge({ review: "accepted" }, reason),
    e: () => { review.editing.value = true; },
    r: () => void review.judge({ review: "rejected" }, reason),
    ArrowRight: () => void review.step(1),
    ArrowLeft: () => void review.step(-1),
  };
  // Before the browser paints: from the moment a text is on the screen its keys work.
  useLayoutEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (review.busy.value) return;
      if (review.editing.value && event.ctrlKey && event.key === "Enter") save();
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (review.editing.value) {
        if (event.key === "Escape") review.editing.value = false;
        return;
      }
      const run = act[event.key];
      if (!run || (event.target as Element).closest("input, textarea, select, dialog")) return;
      event.preventDefault();
      run();
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  });

  const notes = notesOf(shown);
  return (
    <article class="panel" id="review-card">
      <h2 id="review-kind">{kindOf(shown)}</h2>
      <ul class="review-notes" id="review-notes">{notes.map((note) => <li key={note}>{note}</li>)}</ul>
      {editing ? <Turns text={text} form={form} /> : <Words text={text} />}
      {editing ? (
        <div class="row wrap">
          <button type="button" class="button primary" id="review-save" onClick={save}>Save <kbd>Ctrl Enter</kbd></button>
          <button type="button" class="button" id="review-cancel" onClick={() => { review.editing.value = false; }}>Cancel <kbd>Esc</kbd></button>
        </div>
      ) : (
        <div class="row wrap">
          <button type="button" class="button primary" id="review-accept" onClick={act.a}>Accept <kbd>a</kbd></button>
          <button type="button" class="button" id="review-edit" onClick={act.e}>Edit <kbd>e</kbd></button>
          <button type="button" class="button" id="review-reject" onClick={act.r}>Reject <kbd>r</kbd></button>
          <label class="field">because
            <select id="review-reason" value={reason} onChange={(event) => setReason(event.currentTarget.value)}>
              <option value="">no reason given</option>
              <option value="source_error">source error</option>
              <option value="imprecise">imprecise</option>
              <option value="wrong">wrong</option>
            </select>
          </label>
          <span class="row push">
            <button type="button" class="icon" aria-label="The text before" title="Before (left arrow)" onClick={act.ArrowLeft}>←</button>
            <button type="button" class="icon" aria-label="The next text" title="Next (right arrow)" onClick={act.ArrowRight}>→</button>
          </span>
        </div>
      )}
      {marks && !editing && <Correct key={`${setOf(text)}-${text.id}`} marks={marks} onCorrect={(mark, changes) => void review.correct(mark, changes)} />}
    </article>
  );
}

export default function ReviewPage() {
  const state = route.value.query.get("texts") ?? "unreviewed";
  const jobId = route.value.query.get("job");
  const review = useMemo(() => new Review(), [state, jobId]);
  const load = () => void review.load({ review: state === "all" ? "" : state, jobId });
  useEffect(() => {
    load();
    return () => review.stop();
  }, [review]);
  useComeback(review.problem.value?.away ?? false, load);
  const shown = review.shown.value;
  const set = shown?.text.tagged ? setOf(shown.text) : null;
  const choose = (texts: string) => go(href("review", null, { texts: texts === "unreviewed" ? null : texts, job: jobId }));

  useLayoutEffect(() => {
    // With nothing on the screen the arrows still lead back.
    if (shown) return;
    const key = (event: KeyboardEvent) => {
      if (event.key === "ArrowLeft" && review.done.value && !(event.target as Element).closest("input, textarea, select, dialog")) void review.step(-1);
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, [shown, review]);

  return (
    <div class="page full review">
      <PageHead title="Review" lead="Is what was written true of the marks?">
        {jobId && <a class="badge" href={href("review", null, { texts: state === "unreviewed" ? null : state })} title="Show texts of all jobs">one job ×</a>}
        <label class="field">Texts
          <select id="review-state" value={state} onChange={(event) => choose(event.currentTarget.value)}>{STATES.map(([value, words]) => <option key={value} value={value}>{words}</option>)}</select>
        </label>
        <p class="soft" id="review-count" role="status">{review.count.value}</p>
      </PageHead>
      <Rates counts={review.statistics.value} />
      {review.problem.value && <CannotShow what="The texts" problem={review.problem.value} again={load} />}
      {review.done.value && (
        <div id="review-empty">
          <Empty title={state === "unreviewed" ? "No text is waiting here" : "No such text"}>
            <p>Texts are written by jobs: choose pictures in the gallery and have texts written about them.</p><a class="button" href={href("gallery")}>To the gallery</a>
          </Empty>
        </div>
      )}
      {shown && (
        <div class="review-columns">
          <figure class="review-figure">
            <img id="review-picture" src={shown.url} alt={shown.text.tagged ? "The marked picture that the text is about" : "The picture that the text is about"} />
            {set && <figcaption><a id="review-open" href={href("ask", set)}>Open the picture</a></figcaption>}
          </figure>
          <Card key={shown.text.id} review={review} shown={shown} />
        </div>
      )}
    </div>
  );
}
