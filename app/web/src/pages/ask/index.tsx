// Ask: a picture comes in, is marked, and is asked about; marks, rows and mentions light each other.

import { useEffect } from "preact/hooks";
import { health } from "../../health";
import { choose } from "../../intake";
import { MarkList } from "../../picture/marks";
import { Stage } from "../../picture/stage";
import { href, route } from "../../router";
import { Working } from "../../ui/progress";
import { AskBox } from "./question";
import { Recent } from "./recent";
import { CodeButton } from "./snippets";
import { ask, type Settings } from "./store";
import "./ask.css";

function SettingsBar() {
  const { segmenter, style, granularity } = ask.settings.value;
  const change = (changes: Partial<Settings>) => void ask.markAgain(changes);
  const detail = granularity === null ? "auto" : `${granularity} of 6`;
  return (
    <form class="bar settings" aria-label="How to mark" onSubmit={(event) => event.preventDefault()}>
      <button type="button" class="button" id="choose" onClick={() => choose()}>New picture</button>
      <label class="field">Find
        <select id="segmenter" value={segmenter} onChange={(event) => change({ segmenter: event.currentTarget.value })}>
          <option value="auto">automatically</option>
          <option value="gui">interface elements</option>
          <option value="regions">regions</option>
          <option value="sam">everything (SAM)</option>
          <option value="semantic-sam">levels (Semantic-SAM)</option>
        </select>
      </label>
      <label class="field">Style
        <select id="style" value={style} onChange={(event) => change({ style: event.currentTarget.value })}>
          <option value="markwise">Markwise</option>
          <option value="som">SoM</option>
          <option value="som-llava">SoM-LLaVA</option>
        </select>
      </label>
      <div class="field">
        <label for="granularity">Detail</label>
        <input type="range" id="granularity" min={0} max={6} step={1} value={granularity ?? 0} aria-valuetext={detail}
          onInput={(event) => { ask.settings.value = { ...ask.settings.value, granularity: Number(event.currentTarget.value) || null }; }}
          onChange={(event) => change({ granularity: Number(event.currentTarget.value) || null })} />
        <output for="granularity">{detail}</output>
      </div>
      <CodeButton id="copy-mark" question={null} disabled={!ask.markSet.value} />
    </form>
  );
}

function Drop() {
  return (
    <div class="drop" id="drop">
      <svg viewBox="0 0 96 72" width="120" height="90" aria-hidden="true"><rect class="d1" x="4" y="4" width="88" height="64" rx="8" /><rect class="d2" x="14" y="14" width="34" height="20" rx="4" /><rect class="d3" x="54" y="14" width="28" height="44" rx="4" /><rect class="d4" x="14" y="40" width="34" height="18" rx="4" /><text x="19" y="28">1</text><text x="59" y="28">2</text><text x="19" y="53">3</text></svg>
      <p class="drop-title">Drop a picture here</p>
      <p class="soft">or paste it, or</p>
      <button type="button" class="button primary" id="choose-first" onClick={() => choose()}>Choose a picture</button>
      <p class="soft small">PNG, JPEG, WebP and more, up to 20 MiB. It stays on this server.</p>
    </div>
  );
}

function ViewSwitch() {
  return (
    <div class="segmented" role="group" aria-label="What to show">
      {(["marked", "clean"] as const).map((view) => (
        <button type="button" key={view} id={`show-${view}`} aria-pressed={ask.view.value === view} onClick={() => ask.show(view)}>{view === "marked" ? "Marked" : "Clean"}</button>
      ))}
    </div>
  );
}

function MarksPanel() {
  const markSet = ask.markSet.value;
  if (!markSet) return <section class="panel marks-panel" aria-labelledby="marks-title"><h2 id="marks-title">Marks</h2></section>;
  const { segmenter, image, omitted_regions: omitted, marks } = markSet;
  const parts = [`Found by ${segmenter.name}${segmenter.granularity === null ? "" : `, detail ${segmenter.granularity}`}`, `${image.width} × ${image.height} px`];
  if (omitted) parts.push(`${omitted} more left out`);
  return (
    <section class="panel marks-panel" aria-labelledby="marks-title">
      <header class="panel-head">
        <h2 id="marks-title">Marks <span class="soft" id="marks-count">{marks.length}</span></h2>
        <a class="button small push" href={href("editor", markSet.id)}>Edit</a>
      </header>
      <p class="soft small" id="facts" title={`${segmenter.name} ${segmenter.version}`}>{parts.join(" · ")}</p>
      {markSet.warnings.length > 0 && <p class="remark">The picture itself shows what looks like a mark: {markSet.warnings.map(({ text }) => `“${text}”`).join(", ")}.</p>}
      {marks.length === 0 && <p class="remark">Nothing was found: try another way to find regions, or more detail.</p>}
      <MarkList marks={ask.marks} focus={ask.focus} />
    </section>
  );
}

export default function AskPage() {
  const { id } = route.value;
  useEffect(() => {
    if (id && /^[0-9a-f-]{36}$/i.test(id)) void ask.openSet(id);
    else if (ask.markSet.peek() && !ask.step.peek()) ask.close();
  }, [id]);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key === "Escape" && ask.focus.pinned.value !== null) ask.focus.pin(ask.focus.pinned.value);
      if (event.key === "/" && !(event.target as Element).closest("input, textarea, select, dialog")) {
        event.preventDefault();
        document.getElementById("query")?.focus();
      }
    };
    document.addEventListener("keydown", key);
    return () => document.removeEventListener("keydown", key);
  }, []);

  const markSet = ask.markSet.value;
  const empty = ask.shown.value === null && ask.step.value === null;
  const count = markSet ? `${markSet.marks.length} marks` : "";
  return (
    <div class="page full ask" data-empty={empty}>
      <SettingsBar />
      <div class="workspace">
        <Stage shown={ask.shown} marks={ask.marks} focus={ask.focus} label={markSet ? `Marked picture with ${count}` : "No picture yet"} alt={markSet ? `Picture with ${count}` : ""} controls={<ViewSwitch />}>
          {empty && <Drop />}
          {ask.step.value && <div class="working" id="working"><Working step={ask.step.value} label="Marking" onCancel={ask.cancel} /></div>}
        </Stage>
        {empty ? <Recent key={health.value.state} /> : <aside class="side" aria-label="Questions and marks"><AskBox /><MarksPanel /></aside>}
      </div>
    </div>
  );
}

