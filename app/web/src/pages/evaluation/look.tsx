// Look inside a model: which parts of a marked picture the words of a question, or of an answer, look at.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { picture } from "../../api/http";
import type { LookResult, Model } from "../../api/learning";
import { wasAborted } from "../../api/problem";
import type { MarkSet } from "../../api/types";
import { useGet } from "../../fetched";
import { usePaged } from "../../paged";
import { go, href, route } from "../../router";
import { Trouble, useWork, WorkLine } from "../../ui/forms";
import { report } from "../../ui/notices";
import { Empty, Field, PageHead, Panel } from "../../ui/parts";
import { Picture } from "../../ui/picture";
import { titleOf } from "../models/words";

/** As many patches as the paper shows. */
const TOP = 20;
const HEAT_ALPHA = 0.72;

/** The model sees a square with the picture in its middle: patch (row, column) as a box of the picture's pixels. */
function patch(width: number, height: number, size: number, row: number, column: number): [number, number, number, number] {
  const side = Math.max(width, height);
  const cell = side / size;
  return [column * cell - (side - width) / 2, row * cell - (side - height) / 2, cell, cell];
}

function paint(canvas: HTMLCanvasElement, image: HTMLImageElement, weights: number[][], view: "heat" | "top"): void {
  const { naturalWidth: width, naturalHeight: height } = image;
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d")!;
  pen.drawImage(image, 0, 0);
  const ranked = weights.flat().sort((a, b) => b - a);
  const most = ranked[0] || 1;
  const least = ranked[Math.min(TOP, ranked.length) - 1]!;
  weights.forEach((row, y) => row.forEach((weight, x) => {
    const alpha = view === "heat" ? (HEAT_ALPHA * weight) / most : weight >= least ? 0.5 : 0;
    pen.fillStyle = `rgb(220 20 30 / ${alpha})`;
    pen.fillRect(...patch(width, height, weights.length, y, x));
  }));
}

function Shown({ found }: { found: LookResult }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [image, setImage] = useState<HTMLImageElement | null>(null);
  const [view, setView] = useState<"heat" | "top">("heat");
  useEffect(() => {
    const stop = new AbortController();
    let made: string | null = null;
    picture(`/v1/marksets/${found.mark_set_id}/thumbnail?size=640`, stop.signal).then(async (url) => {
      made = url;
      const loaded = Object.assign(new Image(), { src: url });
      await loaded.decode();
      if (!stop.signal.aborted) setImage(loaded);
    }).catch((error: unknown) => stop.signal.aborted || wasAborted(error) || report(error));
    return () => {
      stop.abort();
      if (made) URL.revokeObjectURL(made);
    };
  }, [found.mark_set_id]);
  // Before the page shows what the buttons say: an effect would come a frame after them.
  useLayoutEffect(() => {
    if (image && canvas.current) paint(canvas.current, image, found.weights, view);
  }, [image, found, view]);
  const grid = found.weights.length;
  return (
    <Panel title={`Where ${found.model} looks`} actions={
      <div class="segmented" role="group" aria-label="How it is shown">
        {([["heat", "Heat map"], ["top", `The ${TOP} highest patches`]] as const).map(([name, words]) => <button type="button" key={name} aria-pressed={view === name} onClick={() => setView(name)}>{words}</button>)}
      </div>}>
      <div class="look"><canvas ref={canvas} id="look" role="img" data-painted={image !== null} aria-label={`The marked picture, redder where the model looks more; ${grid} by ${grid} patches`} /></div>
      <p class="soft small">Tokens: {found.words.map((word) => word.trim()).filter(Boolean).join(" · ")}</p>
    </Panel>
  );
}

export function Look() {
  const sets = usePaged<MarkSet>("/v1/marksets", {}, 12);
  const models = useGet<{ data: Model[] }>("/v1/models?limit=200");
  const work = useWork();
  const [query, setQuery] = useState("What is mark 1?");
  const [answer, setAnswer] = useState("");
  const [only, setOnly] = useState("");
  const [model, setModel] = useState("");
  const [found, setFound] = useState<LookResult | null>(null);
  const chosen = route.value.query.get("set") ?? sets.rows[0]?.id ?? null;
  const look = async () => {
    const result = await work.run("/v1/looks", {
      mark_set_id: chosen, query, ...(answer ? { answer, words: "answer" } : {}), ...(only ? { only } : {}), ...(model ? { model } : {}),
    });
    const seen = (result?.look ?? (result?.weights ? result : null)) as LookResult | null;
    if (seen) setFound(seen);
  };
  const local = (models.value?.data ?? []).filter(({ kind }) => kind === "checkpoint" || kind === "adapter");
  return (
    <div class="page">
      <PageHead title="Look inside a model" lead={<a href={href("evaluation")}>All evaluations</a>} />
      {!sets.loading && !sets.rows.length && <Empty title="No marked pictures yet"><a href={href("ask")}>Mark one</a>, and look at it here.</Empty>}
      {chosen && (
        <div class="split">
          <form class="stack" aria-label="What is looked at" onSubmit={(event) => { event.preventDefault(); void look(); }}>
            <Panel title="The marked picture">
              <ul class="choices">
                {sets.rows.map((one, index) => (
                  <li key={one.id}><button type="button" aria-pressed={one.id === chosen} onClick={() => go(href("evaluation", "look", { set: one.id }), { replace: true })} aria-label={`Picture ${index + 1} with ${one.marks.length} marks`}><Picture path={`/v1/marksets/${one.id}/thumbnail?size=160`} alt="" /></button></li>
                ))}
              </ul>
            </Panel>
            <Panel>
              <Field label="Question"><input type="text" id="query" required maxLength={2000} value={query} onInput={(event) => setQuery(event.currentTarget.value)} /></Field>
              <div class="fields">
                <Field label="Answer" hint="Given one, its words are followed instead of the question's."><input type="text" value={answer} maxLength={2000} onInput={(event) => setAnswer(event.currentTarget.value)} /></Field>
                <Field label="Only words that hold" hint="Such as the number of a mark."><input type="text" value={only} maxLength={100} onInput={(event) => setOnly(event.currentTarget.value)} /></Field>
                <Field label="Model"><select value={model} onChange={(event) => setModel(event.currentTarget.value)}><option value="">what answers now</option>{local.map((one) => <option key={one.id} value={titleOf(one)}>{titleOf(one)}</option>)}</select></Field>
              </div>
              <Trouble problem={work.problem} />
              <WorkLine job={work.job} label="Looking inside the model" />
              <div class="row"><button type="submit" class="button primary" id="see" disabled={work.busy}>Look</button></div>
            </Panel>
          </form>
          {found ? <Shown found={found} /> : <Panel title="Where it looks"><Empty title="Nothing looked at yet">The mean attention of all layers and heads, from the chosen words to the patches of the picture.</Empty></Panel>}
        </div>
      )}
    </div>
  );
}
