// One picture: how it looks, its labels, and what was made of it.

import { useEffect, useState } from "preact/hooks";
import { list } from "../../api/http";
import { Problem } from "../../api/problem";
import type { ImageOut, MarkSet } from "../../api/types";
import { go, href } from "../../router";
import { Dialog } from "../../ui/dialog";
import { Ago, CannotShow, Facts } from "../../ui/parts";
import { Picture } from "../../ui/picture";
import { gallery, imageOf } from "./store";

const SHOWN = 12;

export function Detail({ id, onClose }: { id: string; onClose: () => void }) {
  const [image, setImage] = useState<ImageOut | null>(null);
  const [sets, setSets] = useState<MarkSet[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    setProblem(null);
    imageOf(id).then(setImage, (error: unknown) => setProblem(Problem.of(error)));
    list<MarkSet>("/v1/marksets", { image_id: id, limit: SHOWN }).then(({ data }) => setSets(data), () => setSets([]));
  }, [id, turn]);
  if (problem) return <Dialog title="Picture" onClose={onClose}><CannotShow what="This picture" problem={problem} again={() => setTurn(turn + 1)} /></Dialog>;
  if (!image) return null;
  return (
    <Dialog title={`Picture of ${image.width} × ${image.height} pixels`} wide onClose={onClose}>
      <div class="detail">
        <Picture path={sets?.[0]?.overlay_url ?? `/v1/images/${id}/content`} alt={sets?.length ? `The picture with ${sets[0]!.marks.length} marks` : "The picture"} />
        <div class="stack">
          <Facts rows={[
            ["Labels", image.labels.join(", ") || "none"],
            ["Came in", <Ago key="at" time={image.created_at} />],
            ["Size", `${(image.bytes / 1024).toFixed(0)} KiB, ${image.media_type}`],
            ["Id", <code key="id">{image.id}</code>],
          ]} />
          <div class="row wrap">
            <button type="button" class="button small" onClick={() => { gallery.choose([id]); onClose(); }}>Choose it</button>
          </div>
          <h3>Marked</h3>
          {sets && !sets.length && <p class="soft">Not yet. <button type="button" class="button small" onClick={() => void markIt(id)}>Mark it</button></p>}
          <ul class="stack tight">
            {sets?.map((set) => (
              <li key={set.id} class="row wrap">
                <span>{set.marks.length} marks by {set.segmenter.name}</span>
                <span class="row push"><a class="button small" href={href("ask", set.id)}>Ask</a><a class="button small" href={href("editor", set.id)}>Edit</a></span>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </Dialog>
  );
}

/** Mark a picture that is here already, on Ask. */
async function markIt(id: string): Promise<void> {
  const { ask } = await import("../ask/store");
  go(href("ask"));
  void ask.openImage(id);
}

