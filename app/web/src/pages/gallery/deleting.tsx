// How far deleting is, what was kept and why; shown above the pictures until it is done or closed.

import { useEffect, useState } from "preact/hooks";
import { href } from "../../router";
import { Icon } from "../../ui/icon";
import { Picture } from "../../ui/picture";
import { ProgressBar } from "../../ui/progress";
import { type Deletion, deletion, type Kept } from "./deletion";
import { gallery } from "./store";

/** So many of those that were kept for one reason are shown; all of them can be chosen. */
const SHOWN = 24;

const count = (number: number): string => number.toLocaleString("en");

function words({ left, gone, kept, state }: Deletion): string {
  const all = left.length + gone + kept.length;
  const done = `${count(gone)} of ${count(all)} ${all === 1 ? "picture is" : "pictures are"} gone`;
  const begin = { running: "Deleting: ", waiting: "Waiting for the server: ", stopped: "Stopped: ", ended: "" }[state];
  return `${begin}${done}${kept.length ? `, ${count(kept.length)} kept` : ""}${state === "stopped" ? `, ${count(left.length)} left` : ""}`;
}

function KeptFor({ reason, ids }: { reason: string; ids: string[] }) {
  return (
    <div class="stack tight">
      <p class="small">{reason}</p>
      <ul class="kept">
        {ids.slice(0, SHOWN).map((id) => <li key={id}><a href={href("gallery", id)} aria-label="Show this picture"><Picture path={`/v1/images/${id}/thumbnail?size=160`} alt="" lazy /></a></li>)}
        {ids.length > SHOWN && <li class="soft small">and {count(ids.length - SHOWN)} more</li>}
      </ul>
    </div>
  );
}

function KeptList({ kept, open }: { kept: Kept[]; open: boolean }) {
  const [shown, setShown] = useState(open);
  useEffect(() => setShown(open), [open]);
  const reasons = [...new Set(kept.map(({ reason }) => reason))];
  return (
    <details open={shown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary class="small">What was kept, and why</summary>
      {shown && reasons.map((reason) => <KeptFor key={reason} reason={reason} ids={kept.filter((one) => one.reason === reason).map(({ id }) => id)} />)}
    </details>
  );
}

export function Deleting() {
  const now = deletion.now.value;
  if (!now) return null;
  const { left, gone, kept, state, problem } = now;
  const busy = state === "running" || state === "waiting";
  const tried = gone + kept.length;
  return (
    <section class="panel deleting" id="deleting" aria-label="Deleting pictures" data-state={state}>
      <div class="row wrap">
        <strong>{words(now)}</strong>
        <span class="row push">
          {busy && <button type="button" class="button small" onClick={() => deletion.stop()}>Stop</button>}
          {state === "stopped" && <button type="button" class="button small danger" onClick={() => deletion.resume()}>Delete the other {count(left.length)}</button>}
          {state === "stopped" && <button type="button" class="button small" onClick={() => deletion.dismiss()}>Leave them</button>}
          {state === "ended" && <button type="button" class="button small" onClick={() => gallery.choose(kept.map(({ id }) => id))}>Choose what was kept</button>}
          {state === "ended" && <button type="button" class="icon" aria-label="Close" onClick={() => deletion.dismiss()}><Icon name="close" size={16} /></button>}
        </span>
      </div>
      {state !== "ended" && <ProgressBar label="Deleting pictures" percent={(100 * tried) / (tried + left.length)} tone={busy ? undefined : "quiet"} />}
      {problem && <p class="soft small" role="status">{[problem.message, problem.detail].filter(Boolean).join(". ")}</p>}
      {kept.length > 0 && <KeptList kept={kept} open={state === "ended"} />}
    </section>
  );
}
