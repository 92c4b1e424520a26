// Models: which versions there are, which one answers, what each was made of and measured at, deploying and rolling back.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Benchmark, Deployment, Evaluation, Model } from "../../api/learning";
import { post } from "../../api/http";
import { useGet } from "../../fetched";
import { usePaged } from "../../paged";
import { href, route } from "../../router";
import { Confirm } from "../../ui/dialog";
import { attempt, report, tell } from "../../ui/notices";
import { Ago, Badge, CannotShow, Facts, PageHead, Panel, spoken } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";
import { chiefText } from "../evaluation/words";
import { Deploy } from "./gate";
import { titleOf } from "./words";
import "../../ui/forms.css";
import "./models.css";

const DEPLOYABLE = ["checkpoint", "adapter", "server"];

function columnsOf(onDeploy: (model: Model) => void): Column<Model>[] {
  return [
    { key: "name", title: "Model", value: (row) => titleOf(row), cell: (row) => <a href={href("models", row.id)}>{titleOf(row)}</a> },
    { key: "kind", title: "Kind", value: (row) => row.kind },
    { key: "deployed", title: "State", value: (row) => (row.deployed ? 0 : 1), cell: (row) => (row.deployed ? <Badge tone="good">answers now</Badge> : "") },
    { key: "created", title: "Made", value: (row) => row.created_at, cell: (row) => (row.created_at ? <Ago time={row.created_at} /> : "ships with Markwise") },
    { key: "act", title: "", value: () => null, cell: (row) => (!row.deployed && DEPLOYABLE.includes(row.kind) ? <button type="button" class="button small" aria-label={`Deploy ${titleOf(row)}`} onClick={() => onDeploy(row)}>Deploy</button> : "") },
  ];
}

/** What the dialogs of both views need: which model is to be deployed, whether to roll back, and doing it. */
function useDeployment(onDone: () => void) {
  const [deploying, setDeploying] = useState<Model | null>(null);
  const [back, setBack] = useState(false);
  const rollBack = () => attempt(async () => {
    const { body } = await post<Deployment>("/v1/models/rollback");
    tell(`${body.name} answers again`);
    onDone();
  }).then(() => setBack(false));
  const dialogs = (
    <>
      {deploying && <Deploy model={deploying} onClose={() => setDeploying(null)} onDone={() => { setDeploying(null); onDone(); }} />}
      {back && <Confirm title="Roll back?" action="Roll back" onConfirm={rollBack} onClose={() => setBack(false)}>What answered before the last deployment answers again. Nothing is deleted.</Confirm>}
    </>
  );
  return { deploy: setDeploying, askBack: () => setBack(true), dialogs };
}

function ModelList() {
  const models = usePaged<Model>("/v1/models", {}, 100);
  const { deploy, askBack, dialogs } = useDeployment(models.reload);
  const now = models.rows.find(({ deployed }) => deployed);
  return (
    <div class="page">
      <PageHead title="Models" lead={now ? <>Questions that name no model are answered by <strong id="answers-now">{titleOf(now)}</strong>.</> : "What can be asked, and which one answers."}>
        <button type="button" class="button" id="roll-back" onClick={askBack}>Roll back</button>
        <a class="button primary" href={href("training", "new")}>Train a model</a>
      </PageHead>
      {models.problem && <CannotShow what="The models" problem={models.problem} again={models.reload} />}
      {models.rows.length > 0 && <Panel><Table label="Models" rows={models.rows} columns={columnsOf(deploy)} rowKey={(row) => row.id} chosen={(row) => row.deployed} /></Panel>}
      {models.more && <p class="more"><button type="button" class="button" onClick={() => models.next().catch(report)}>Older versions</button></p>}
      {dialogs}
    </div>
  );
}

const measuredBy = (benchmarks: Benchmark[]): Column<Evaluation>[] => [
  { key: "benchmark", title: "Benchmark", value: (row) => row.benchmark, cell: (row) => <a href={href("evaluation", row.id)}>{row.benchmark}</a> },
  { key: "marks", title: "Asked", value: (row) => (row.settings.tags ? "with marks" : "without marks") },
  { key: "chief", title: "Result (95 %)", value: (row) => chiefText(row, benchmarks), cell: (row) => <span>{chiefText(row, benchmarks)} <span class="soft small">{spoken(benchmarks.find(({ name }) => name === row.benchmark)?.chief ?? "")}</span></span> },
  { key: "created", title: "When", value: (row) => row.created_at, cell: (row) => <Ago time={row.created_at} /> },
];

const DIGEST = /^[0-9a-f]{40,}$/;

/** A value in words; what is made of several stands below each other, digests are cut. */
function words(value: unknown): ComponentChildren {
  if (Array.isArray(value)) return value.length ? value.map(String).join(", ") : "none";
  if (typeof value === "object" && value !== null) return <ul class="nested small">{Object.entries(value).map(([name, one]) => <li key={name}><span class="soft">{name}</span> {words(one)}</li>)}</ul>;
  if (typeof value === "number") return value.toLocaleString("en", { maximumSignificantDigits: 5 });
  const said = String(value);
  return DIGEST.test(said) ? <code title={said}>{said.slice(0, 12)}…</code> : said;
}

function factsOf(record: Record<string, unknown>): [string, ComponentChildren][] {
  return Object.entries(record).filter(([, value]) => value !== null && value !== "" && value !== false).map(([name, value]) => [name.replaceAll("_", " "), words(value)]);
}

function ModelDetail({ id }: { id: string }) {
  const { value: model, problem, reload } = useGet<Model>(`/v1/models/${encodeURIComponent(id)}`);
  const evaluations = usePaged<Evaluation>("/v1/evaluations", {}, 200);
  const benchmarks = useGet<{ data: Benchmark[] }>("/v1/benchmarks");
  const { deploy, dialogs } = useDeployment(reload);
  if (problem) return <div class="page"><CannotShow what="This model" problem={problem} again={reload}><a href={href("models")}>All models</a></CannotShow></div>;
  if (!model) return <p class="loading" role="status">Loading</p>;
  const measured = evaluations.rows.filter((one) => (model.version === null ? one.model_version_id === null && one.settings.model === model.name : one.model_version_id === model.id));
  const facts = [...factsOf(model.metrics), ...factsOf(model.origin)];
  return (
    <div class="page" id="model" data-deployed={model.deployed}>
      <PageHead title={titleOf(model)} lead={<><a href={href("models")}>All models</a>{model.created_at && <> · made <Ago time={model.created_at} /></>}{model.job_id && <> · <a href={href("training", model.job_id)}>its training</a></>}</>}>
        {model.deployed && <Badge tone="good">answers now</Badge>}
        <a class="button" href={href("evaluation", "new", { model: titleOf(model) })}>Evaluate</a>
        {!model.deployed && DEPLOYABLE.includes(model.kind) && <button type="button" class="button primary" onClick={() => deploy(model)}>Deploy</button>}
      </PageHead>
      <Panel title="Measured">
        {measured.length > 0 ? <Table label={`Evaluations of ${titleOf(model)}`} rows={measured} columns={measuredBy(benchmarks.value?.data ?? [])} rowKey={(row) => row.id} /> : <p class="soft">Nobody has measured it yet.</p>}
      </Panel>
      <div class="columns">
        {facts.length > 0 && <Panel title="Made of"><Facts rows={facts} /></Panel>}
        {Object.keys(model.recipe).length > 0 && <Panel title="Asked for"><Facts rows={factsOf(model.recipe)} /></Panel>}
        <Panel title="Ask it by name"><Facts rows={[["Name", <code key="name">{titleOf(model)}</code>], ["Id", <code key="id">{model.id}</code>], ["Kind", model.kind]]} /></Panel>
      </div>
      {dialogs}
    </div>
  );
}

export default function ModelsPage() {
  const { id } = route.value;
  return id ? <ModelDetail key={id} id={id} /> : <ModelList />;
}
