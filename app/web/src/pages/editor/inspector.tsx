// What is chosen, to be renamed, measured out by numbers, merged, split or deleted; and a box by numbers for whoever uses no pointer.

import { useEffect, useState } from "preact/hooks";
import type { Box, Mark } from "../../api/types";
import { Field } from "../../ui/parts";
import type { Editor } from "./store";

const boxText = (mark: Mark): string => mark.bbox_xyxy_px.map((side) => Math.round(side)).join(", ");

function boxIn(text: string): Box | null {
  const sides = text.split(/[,\s]+/).filter(Boolean).map(Number);
  return sides.length === 4 && sides.every(Number.isFinite) && sides[0]! < sides[2]! && sides[1]! < sides[3]! ? (sides as Box) : null;
}

const WRONG_BOX = "Four numbers: left, top, right, bottom.";

function One({ editor, mark }: { editor: Editor; mark: Mark }) {
  const [name, setName] = useState(mark.text ?? "");
  const [role, setRole] = useState(mark.role ?? "");
  const [box, setBox] = useState(boxText(mark));
  const read = boxIn(box);
  const changes = {
    ...(name !== (mark.text ?? "") ? { text: name } : {}), ...(role !== (mark.role ?? "") ? { role } : {}), ...(read && box !== boxText(mark) ? { bbox_xyxy_px: read } : {}),
  };
  const save = (event: Event) => {
    event.preventDefault();
    if (read && Object.keys(changes).length) void editor.change(mark, changes);
  };
  return (
    <form class="stack" id="rename" onSubmit={save}>
      <Field label="Name"><input id="mark-name" type="text" maxLength={1000} value={name} onInput={(event) => setName(event.currentTarget.value)} /></Field>
      <div class="pair">
        <Field label="Role"><input id="mark-role" type="text" maxLength={100} value={role} onInput={(event) => setRole(event.currentTarget.value)} /></Field>
        <Field label="Box in px" error={read ? null : WRONG_BOX}><input id="mark-box" type="text" value={box} onInput={(event) => setBox(event.currentTarget.value)} /></Field>
      </div>
      <button type="submit" class="button primary" disabled={!read || !Object.keys(changes).length || editor.busy.value !== null}>Save</button>
    </form>
  );
}

function ByNumbers({ editor }: { editor: Editor }) {
  const [box, setBox] = useState("");
  const read = boxIn(box);
  const submit = (event: Event) => {
    event.preventDefault();
    if (read) void editor.add({ bbox_xyxy_px: read }).then((done) => done && setBox(""));
  };
  return (
    <details class="by-numbers">
      <summary class="soft small">Add a box by numbers</summary>
      <form class="row" onSubmit={submit}>
        <label class="visually-hidden" for="new-box">Box in px: left, top, right, bottom</label>
        <input id="new-box" type="text" placeholder="left, top, right, bottom" value={box} onInput={(event) => setBox(event.currentTarget.value)} />
        <button type="submit" class="button" disabled={!read || editor.busy.value !== null}>Add</button>
      </form>
    </details>
  );
}

export function Inspector({ editor }: { editor: Editor }) {
  const chosen = [...editor.chosen.value];
  const mark = chosen.length === 1 ? editor.marks.value.find(({ id }) => id === chosen[0]) : undefined;
  const free = editor.busy.value === null;
  const title = mark ? `Mark ${mark.id}` : chosen.length ? `${chosen.length} marks` : "Nothing chosen";
  useEffect(() => editor.focus.name(chosen), [editor.chosen.value]);
  return (
    <section class="panel" aria-labelledby="inspector-title">
      <h2 id="inspector-title">{title}</h2>
      {!chosen.length && <p class="soft small">Choose marks in the picture or in the list, or draw something new.</p>}
      {mark && <One key={`${mark.id}/${mark.text ?? ""}/${mark.role ?? ""}/${boxText(mark)}`} editor={editor} mark={mark} />}
      {chosen.length > 0 && (
        <div class="row wrap">
          <button type="button" class="button small" id="merge" disabled={chosen.length < 2 || !free} onClick={() => void editor.merge()}>Merge <kbd>m</kbd></button>
          <button type="button" class="button small" id="split" disabled={chosen.length !== 1 || !free} title="Into its separate parts; to cut it, take the tool Cut" onClick={() => void editor.split(null)}>Take apart</button>
          <button type="button" class="button small danger" id="delete" disabled={!free} onClick={() => void editor.delete()}>Delete <kbd>Del</kbd></button>
        </div>
      )}
      <ByNumbers editor={editor} />
    </section>
  );
}
