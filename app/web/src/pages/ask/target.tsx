// The other picture of a question "which marks are the same": chosen from the marked pictures there are, shown with the pairs.

import { useEffect, useState } from "preact/hooks";
import { get, list } from "../../api/http";
import type { Answer, MarkSet } from "../../api/types";
import { Picture } from "../../ui/picture";
import { ask } from "./store";

const OFFERED = 40;

/** The newest mark set of each other picture. */
export function useOthers(wanted: boolean): MarkSet[] | null {
  const [found, setFound] = useState<MarkSet[] | null>(null);
  const own = ask.markSet.value?.id;
  useEffect(() => {
    if (!wanted) return;
    list<MarkSet>("/v1/marksets", { limit: OFFERED }).then(({ data }) => setFound(data.filter(({ id }) => id !== own)), () => setFound([]));
  }, [wanted, own]);
  return found;
}

/** A mark set in a line, for a list to choose from. */
export function nameOf({ marks, segmenter, image, created_at: at }: MarkSet): string {
  const words = marks.map(({ text }) => text).filter(Boolean).slice(0, 3).join(", ");
  return `${marks.length} marks by ${segmenter.name}${words ? ` (${words})` : `, ${image.width} × ${image.height}`}, ${new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
}

/** The pairs of an answer, with the other picture below. */
export function Target({ answer }: { answer: Answer & { target_mark_set_id?: string } }) {
  const [other, setOther] = useState<MarkSet | null>(null);
  const id = answer.target_mark_set_id ?? ask.targets.get(answer.id);
  useEffect(() => {
    if (id) get<MarkSet>(`/v1/marksets/${id}`).then(setOther, () => setOther(null));
  }, [id]);
  return (
    <>
      <ul class="pairs" aria-label="Marks that are the same">
        {answer.correspondences.map(({ mark, target_mark: target }) => (
          <li key={mark}><button type="button" class="chip" aria-label={`Mark ${mark} is mark ${target} there`} onClick={() => ask.focus.pin(mark)} {...ask.focus.lights(mark)}>{mark}</button> → <span class="tag">{target}</span></li>
        ))}
      </ul>
      {other && <a class="other" href={`#/ask/${other.id}`} title="Open the other picture"><Picture path={other.overlay_url} alt={`The other picture, with ${other.marks.length} marks`} lazy /></a>}
    </>
  );
}
