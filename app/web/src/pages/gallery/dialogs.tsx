// What can be done with the chosen pictures: have texts written, label, delete.

import { useEffect, useState } from "preact/hooks";
import { get } from "../../api/http";
import { go, href } from "../../router";
import { Confirm, Dialog } from "../../ui/dialog";
import { attempt, tell } from "../../ui/notices";
import { Field } from "../../ui/parts";
import { deletion } from "./deletion";
import { gallery } from "./store";

interface Writer {
  kind: string;
  writer: string;
  needs_teacher?: boolean;
  about?: string;
}

const pictures = (count: number): string => (count === 1 ? "one picture" : `${count} pictures`);

export function AnnotateDialog({ onClose }: { onClose: () => void }) {
  const [writers, setWriters] = useState<Writer[]>([{ kind: "listing", writer: "rules" }]);
  const [place, setPlace] = useState("listing/rules");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    get<{ data: Writer[] }>("/v1/writers").then(({ data }) => data.length && setWriters(data), () => undefined);
  }, []);
  const submit = async (event: Event) => {
    event.preventDefault();
    const [kind, writer] = place.split("/") as [string, string];
    setBusy(true);
    const done = await attempt(async () => {
      const job = await gallery.annotate(kind, writer);
      go(href("jobs", job.id));
    });
    setBusy(false);
    if (done) onClose();
  };
  return (
    <Dialog title={`Write texts about ${pictures(gallery.chosen.value.size)}`} onClose={onClose}>
      <form class="dialog-body" onSubmit={submit}>
        <Field label="What is written, and by whom" hint="Writers by rules need no model; teachers are asked for the others. Pictures without marks are marked first.">
          <select id="annotate-writer" value={place} onChange={(event) => setPlace(event.currentTarget.value)}>
            {writers.map(({ kind, writer }) => <option key={`${kind}/${writer}`} value={`${kind}/${writer}`}>{kind.replaceAll("_", " ")} by {writer}</option>)}
          </select>
        </Field>
        <p class="soft small">It becomes a job with one item per picture; what it wrote waits in Review.</p>
        <div class="row end"><button type="submit" class="button primary" disabled={busy}>Start the job</button></div>
      </form>
    </Dialog>
  );
}

const namesIn = (text: string): string[] => [...new Set(text.split(",").map((name) => name.trim()).filter(Boolean))];

export function LabelDialog({ onClose }: { onClose: () => void }) {
  const chosen = gallery.chosen.value;
  const carried = [...new Set(gallery.images.value.filter(({ id }) => chosen.has(id)).flatMap(({ labels }) => labels))].sort();
  const [add, setAdd] = useState("");
  const [remove, setRemove] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const done = await attempt(() => gallery.relabel([...chosen], namesIn(add), remove));
    setBusy(false);
    if (!done) return;
    tell(`${pictures(chosen.size)} labelled`);
    onClose();
  };
  return (
    <Dialog title={`Label ${pictures(chosen.size)}`} onClose={onClose}>
      <form class="dialog-body" onSubmit={submit}>
        <Field label="Add" hint="Several are separated by commas.">
          <input id="label-add" type="text" list="known-labels" value={add} placeholder="shop, checked" onInput={(event) => setAdd(event.currentTarget.value)} />
        </Field>
        <datalist id="known-labels">{gallery.labels.value.map(({ label }) => <option key={label} value={label} />)}</datalist>
        {carried.length > 0 && (
          <fieldset class="ticks">
            <legend class="field-name">Take away</legend>
            {carried.map((label) => (
              <label class="check" key={label}>
                <input type="checkbox" checked={remove.includes(label)} onChange={(event) => setRemove(event.currentTarget.checked ? [...remove, label] : remove.filter((one) => one !== label))} />{label}
              </label>
            ))}
          </fieldset>
        )}
        <div class="row end"><button type="submit" class="button primary" disabled={busy || (!namesIn(add).length && !remove.length)}>Change labels</button></div>
      </form>
    </Dialog>
  );
}

export function DeleteDialog({ onClose }: { onClose: () => void }) {
  const ids = [...gallery.chosen.value];
  const confirm = () => {
    onClose();
    deletion.start(ids);
  };
  return (
    <Confirm title={`Delete ${pictures(ids.length)}?`} action="Delete" danger onConfirm={confirm} onClose={onClose}>
      <p>Their marks, answers and marked pictures go, too. A picture that a dataset holds a text about is kept. This cannot be undone.</p>
    </Confirm>
  );
}
