// Order evaluations: models x benchmarks x ways of asking, and how many questions.

import { useState } from "preact/hooks";
import type { Benchmark, Dataset, Model } from "../../api/learning";
import { post } from "../../api/http";
import { Problem } from "../../api/problem";
import type { Job } from "../../api/types";
import { useGet } from "../../fetched";
import { usePaged } from "../../paged";
import { go, href, route } from "../../router";
import { Chips, numberOf, Trouble } from "../../ui/forms";
import { Field, PageHead, Panel } from "../../ui/parts";
import { titleOf } from "../models/words";

const SOURCES = { files: "its installed files", drawings: "drawings made for it" };

function tagsOf(ways: string[]): boolean[] {
  return ways.map((way) => way === "marks");
}

export function Start() {
  const asked = route.value.query;
  const benchmarks = useGet<{ data: Benchmark[] }>("/v1/benchmarks");
  const models = useGet<{ data: Model[] }>("/v1/models?limit=200");
  const datasets = usePaged<Dataset>("/v1/datasets", {}, 200);
  const [chosen, setChosen] = useState<string[]>(["listing"]);
  const [named, setNamed] = useState<string[]>(asked.get("model") ? [asked.get("model")!] : []);
  const [ways, setWays] = useState<string[]>(["marks"]);
  const [dataset, setDataset] = useState(asked.get("dataset") ?? "");
  const [judge, setJudge] = useState("");
  const [n, setN] = useState("50");
  const [seed, setSeed] = useState("0");
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const known = benchmarks.value?.data ?? [];
  const askable = (models.value?.data ?? []).filter(({ kind }) => kind !== "finder");
  const cells = Math.max(1, named.length) * chosen.length * ways.length;
  const judged = known.some(({ name, judged: needs }) => needs && chosen.includes(name));
  const begin = async () => {
    setBusy(true);
    setProblem(null);
    const body = {
      benchmarks: chosen, tags: tagsOf(ways), seed: numberOf(seed) ?? 0,
      ...(named.length ? { models: named } : {}), ...(numberOf(n) ? { n: numberOf(n) } : {}),
      ...(dataset && chosen.includes("listing") ? { dataset_id: dataset } : {}), ...(judged && judge ? { judge } : {}),
    };
    try {
      const { body: job } = await post<Job>("/v1/evaluations", body);
      go(href("evaluation", null, { job: job.id }));
    } catch (error) {
      setProblem(Problem.of(error));
      setBusy(false);
    }
  };
  return (
    <div class="page">
      <PageHead title="Start an evaluation" lead={<a href={href("evaluation")}>All evaluations</a>} />
      <form class="stack" aria-label="The evaluation" onSubmit={(event) => { event.preventDefault(); void begin(); }}>
        <Panel>
          <Chips label="Benchmarks" chosen={chosen} onChange={setChosen} options={known.map(({ name, source, chief }) => ({ value: name, disabled: source === null, title: source === null ? "Its files are not installed: MARKWISE_BENCHMARKS names the folder for them" : `${chief}, on ${SOURCES[source]}` }))} />
          <p class="soft small">{known.some(({ source }) => source === null) ? "What is struck through needs its files in the folder of MARKWISE_BENCHMARKS; the rest can be asked of drawings." : "Every benchmark can be asked."}</p>
          <Chips label="Models (none: the one that answers now)" chosen={named} onChange={setNamed} options={askable.map((one) => ({ value: titleOf(one), words: titleOf(one) }))} />
          <Chips label="Asked" chosen={ways} onChange={setWays} options={[{ value: "marks", words: "with marks" }, { value: "plain", words: "without marks" }]} />
          <div class="fields">
            <Field label="Questions of each" hint="Empty: all there are."><input type="number" id="n" min={1} value={n} onInput={(event) => setN(event.currentTarget.value)} /></Field>
            <Field label="Seed of drawings"><input type="number" min={0} value={seed} onInput={(event) => setSeed(event.currentTarget.value)} /></Field>
            <Field label="Listings of a dataset"><select value={dataset} onChange={(event) => setDataset(event.currentTarget.value)}><option value="">drawings</option>{datasets.rows.map((one) => <option key={one.id} value={one.id}>{one.name}, version {one.version}</option>)}</select></Field>
            {judged && <Field label="Judge" hint="A model of MARKWISE_TEACHERS, or one of the models."><input type="text" value={judge} required onInput={(event) => setJudge(event.currentTarget.value)} /></Field>}
          </div>
        </Panel>
        <Trouble problem={problem} />
        <div class="row"><button type="submit" class="button primary" id="begin" disabled={busy || !chosen.length || !ways.length}>Start {cells === 1 ? "the evaluation" : `${cells} evaluations`}</button></div>
      </form>
    </div>
  );
}
