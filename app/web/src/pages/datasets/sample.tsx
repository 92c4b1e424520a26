// Samples of a mixture as a person reads them: the picture beside the rounds of the conversation.

import type { Sample } from "../../api/learning";
import { Badge } from "../../ui/parts";
import { Picture } from "../../ui/picture";

/** The small copy of a sample's picture; parts of an image have none. */
function small(url: string): string {
  const found = /^(\/v1\/(?:marksets|images)\/[0-9a-f-]{36})\/(?:overlay\.png|content)$/.exec(url);
  return found ? `${found[1]}/thumbnail?size=320` : url;
}

export function SampleCard({ sample }: { sample: Sample }) {
  return (
    <li class="sample" data-sample={sample.sample_id}>
      <div class="sample-picture">
        {sample.image_url ? <Picture path={small(sample.image_url)} alt={`Picture of sample ${sample.position + 1}`} lazy /> : <span class="soft small">{sample.image ?? "text alone"}</span>}
      </div>
      <div class="stack tight">
        <div class="row wrap small"><span class="soft">No. {sample.position + 1}</span><Badge>{sample.kind.replaceAll("_", " ")}</Badge><span class="soft">{sample.part}</span>{sample.review && <Badge>{sample.review}</Badge>}</div>
        <dl class="rounds" tabIndex={0} aria-label={`What sample ${sample.position + 1} says`}>
          {sample.conversations.map((turn, index) => (
            <div key={index} class={turn.from === "gpt" ? "said" : "asked"}>
              <dt class="soft small">{turn.from === "gpt" ? "Answer" : "Question"}</dt>
              <dd>{turn.value.replace("<image>", "").trim()}</dd>
            </div>
          ))}
        </dl>
      </div>
    </li>
  );
}
