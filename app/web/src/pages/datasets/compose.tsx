// Compose a mixture: parts on one side, what they would make on the other; built only when somebody says so.

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import type { Mixture, Part, Preview, Recipe } from "../../api/learning";
import { useGet } from "../../fetched";
import { go, href } from "../../router";
import { numberOf, Trouble, useWork, WorkLine } from "../../ui/forms";
import { Empty, Field, PageHead, Panel } from "../../ui/parts";
import { PartForm } from "./parts";
import { SampleCard } from "./sample";
import { StatisticsPanel } from "./statistics";

const OWN: Mixture = { name: "mine", purpose: "Composed on the page.", parts: [{ name: "texts", texts: {} }], seed: 0, shuffle: true };

/** What is being composed survives a look at another page. */
const draft = signal<Mixture>(OWN);
const seen = signal<{ of: string; preview: Preview } | null>(null);

function freshName(parts: Part[]): string {
  for (let number = parts.length + 1; ; number += 1) if (!parts.some(({ name }) => name === `part-${number}`)) return `part-${number}`;
}

function PreviewSide({ stale }: { stale: boolean }) {
  const found = seen.value;
  if (!found) return <Panel title="Preview"><Empty title="Nothing looked at yet">A preview reads every text that the mixture takes, counts, and shows a few; nothing is stored.</Empty></Panel>;
  const { statistics, samples, content_sha256: hash } = found.preview;
  return (
    <div class="stack" id="preview" data-stale={stale}>
      {stale && <p class="soft small" role="status">The mixture has changed since; look again.</p>}
      <StatisticsPanel statistics={statistics} title="What it would hold" />
      <Panel title="Samples from all over it"><ul class="samples">{samples.map((sample) => <SampleCard key={sample.position} sample={sample} />)}</ul></Panel>
      <p class="soft small cut">The build would have the hash <code>{hash.slice(0, 16)}</code> as long as no text changes.</p>
    </div>
  );
}

export function Compose() {
  const recipes = useGet<{ data: Recipe[] }>("/v1/recipes");
  const work = useWork();
  const [doing, setDoing] = useState<"preview" | "build">("preview");
  const mixture = draft.value;
  const change = (changes: Partial<Mixture>) => (draft.value = { ...draft.value, ...changes });
  const setPart = (index: number, part: Part) => change({ parts: mixture.parts.map((one, number) => (number === index ? part : one)) });
  const start = (name: string) => {
    const found = recipes.value?.data.find((one) => one.object === "dataset_recipe" && one.name === name)?.recipe;
    draft.value = found ? structuredClone(found) : OWN;
    work.setProblem(null);
  };
  const body = () => ({ name: mixture.name, recipe: mixture });
  const look = async () => {
    setDoing("preview");
    const of = JSON.stringify(mixture);
    const result = await work.run("/v1/datasets/preview", body());
    const preview = (result?.preview ?? (result?.samples ? result : null)) as Preview | null;
    if (preview) seen.value = { of, preview };
  };
  const build = async () => {
    setDoing("build");
    const result = await work.run("/v1/datasets", body());
    if (typeof result?.dataset_id === "string") go(href("datasets", result.dataset_id));
  };
  const mixtures = (recipes.value?.data ?? []).filter(({ object }) => object === "dataset_recipe");
  return (
    <div class="page full datasets">
      <PageHead title="Compose a mixture" lead={<a href={href("datasets")}>All datasets</a>} />
      <div class="split">
        <form class="stack" onSubmit={(event) => { event.preventDefault(); void look(); }} aria-label="The mixture">
          <Panel>
            <div class="fields">
              <Field label="Start from">
                <select id="recipe" onChange={(event) => start(event.currentTarget.value)} value={mixtures.some(({ name }) => name === mixture.name) ? mixture.name : ""}>
                  <option value="">your own</option>
                  {mixtures.map(({ name, needs }) => <option key={name} value={name}>{name}{needs === "files" ? " (needs files)" : ""}</option>)}
                </select>
              </Field>
              <Field label="Name" hint="Each build is its next version."><input type="text" id="name" required pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" value={mixture.name} onInput={(event) => change({ name: event.currentTarget.value })} /></Field>
            </div>
            <p class="soft small">{mixture.purpose}</p>
          </Panel>
          {mixture.parts.map((part, index) => (
            <Panel key={index}><PartForm part={part} onChange={(changed) => setPart(index, changed)} onRemove={mixture.parts.length > 1 ? () => change({ parts: mixture.parts.filter((_, number) => number !== index) }) : null} /></Panel>
          ))}
          <div class="row"><button type="button" class="button small" onClick={() => change({ parts: [...mixture.parts, { name: freshName(mixture.parts), texts: {} }] })}>Add a part</button></div>
          <Panel title="Order and test split">
            <div class="fields">
              <Field label="Seed"><input type="number" value={mixture.seed ?? 0} onInput={(event) => change({ seed: numberOf(event.currentTarget.value) ?? 0 })} /></Field>
              <Field label="Kept for testing, %" hint="Empty: nothing is kept."><input type="number" min={1} max={99} value={mixture.hold_out ? Math.round(100 * mixture.hold_out.share) : ""}
                onInput={(event) => { const share = numberOf(event.currentTarget.value); change({ hold_out: share ? { share: share / 100, split: mixture.hold_out?.split ?? "train" } : null }); }} /></Field>
              {mixture.hold_out && <Field label="This dataset is"><select value={mixture.hold_out.split} onChange={(event) => change({ hold_out: { ...mixture.hold_out!, split: event.currentTarget.value as "train" | "test" } })}><option value="train">for training</option><option value="test">for testing</option></select></Field>}
            </div>
            <label class="check"><input type="checkbox" checked={mixture.shuffle ?? true} onChange={(event) => change({ shuffle: event.currentTarget.checked })} />Shuffle by the seed</label>
          </Panel>
          <Trouble problem={work.problem} />
          <WorkLine job={work.job} label={doing === "build" ? "Building the dataset" : "Looking at the mixture"} />
          <div class="row wrap">
            <button type="submit" class="button" id="look" disabled={work.busy}>Preview</button>
            <button type="button" class="button primary" id="build" disabled={work.busy} onClick={() => void build()}>Build and seal</button>
          </div>
        </form>
        <PreviewSide stale={seen.value !== null && seen.value.of !== JSON.stringify(mixture)} />
      </div>
    </div>
  );
}
