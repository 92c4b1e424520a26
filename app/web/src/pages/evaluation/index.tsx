// Evaluations: the list with what is being measured, one report, and starting new ones.

import { useEffect, useState } from "preact/hooks";
import { jobAfter, watchJob } from "../../api/events";
import { download } from "../../api/http";
import type { Benchmark, Evaluation, OrderedJob, Section } from "../../api/learning";
import { Problem, wasAborted } from "../../api/problem";
import type { JobEvent } from "../../api/types";
import { useGet } from "../../fetched";
import { usePaged } from "../../paged";
import { go, href, route } from "../../router";
import { Trouble, WorkLine } from "../../ui/forms";
import { attempt, report, tell } from "../../ui/notices";
import { Ago, CannotShow, Empty, Facts, PageHead, Panel } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";
import { Look } from "./look";
import { SectionPanel } from "./report";
import { Start } from "./start";
import { chiefText } from "./words";
import "../../ui/forms.css";
import "./evaluation.css";

const modelOf = (row: Evaluation): string => {
  const { model, model_version: version } = row.settings as { model?: string; model_version?: string | null };
  return row.model_version_id ? `${model ?? "model"}${version ? `@${version}` : ""}` : model ?? "–";
};

const askedOf = (row: Evaluation): string => (row.settings.tags ? "with marks" : "without marks");

function columnsOf(benchmarks: Benchmark[]): Column<Evaluation>[] {
  const chief = (row: Evaluation) => benchmarks.find(({ name }) => name === row.benchmark)?.chief;
  return [
    { key: "benchmark", title: "Benchmark", value: (row) => row.benchmark, cell: (row) => <a href={href("evaluation", row.id)}>{row.benchmark}</a> },
    { key: "model", title: "Model", value: modelOf },
    { key: "asked", title: "Asked", value: askedOf },
    { key: "chief", title: "Result (95 %)", value: (row) => (typeof row.metrics[chief(row) ?? ""] === "number" ? (row.metrics[chief(row)!] as number) : null), cell: (row) => <span>{chiefText(row, benchmarks)} <span class="soft small">{chief(row)?.replaceAll("_", " ")}</span></span>, numeric: true },
    { key: "compared", title: "", value: (row) => row.report.comparison?.reduce((sum, { runs }) => sum + runs.length, 0) ?? 0, cell: (row) => { const runs = row.report.comparison?.reduce((sum, section) => sum + section.runs.length, 0) ?? 0; return runs > 1 ? <span class="soft small">compares {runs} runs</span> : ""; } },
    { key: "created", title: "Finished", value: (row) => row.created_at, cell: (row) => <Ago time={row.created_at} /> },
  ];
}

/** An evaluation that is under way; when it ends, its report is opened where somebody waits for it. */
function UnderWay({ ordered, wanted, onEnd }: { ordered: OrderedJob; wanted: boolean; onEnd: () => void }) {
  const [job, setJob] = useState(ordered);
  useEffect(() => {
    const stop = new AbortController();
    const onEvent = (event: JobEvent) => setJob((before) => jobAfter(before, event));
    watchJob(ordered, { onEvent, patience: Infinity }, stop.signal).then((ended) => {
      setJob(ended);
      onEnd();
      const made = ended.result?.evaluation_id;
      if (ended.status !== "succeeded") return;
      if (wanted && typeof made === "string") go(href("evaluation", made), { replace: true });
      else tell("An evaluation is finished");
    }, (error: unknown) => wasAborted(error) || report(error));
    return () => stop.abort();
  }, [ordered.id]);
  if (job.status === "failed") return <Trouble problem={Problem.ofJob(job)} />;
  const order = ordered.order?.evaluation ?? {};
  const of = Array.isArray(order.benchmarks) ? order.benchmarks.join(", ") : "an evaluation";
  return <WorkLine job={job} label={`Measuring ${of}`} />;
}

function EvaluationList() {
  const evaluations = usePaged<Evaluation>("/v1/evaluations");
  const benchmarks = useGet<{ data: Benchmark[] }>("/v1/benchmarks");
  const jobs = usePaged<OrderedJob>("/v1/jobs", { kind: "evaluation.run", include: "order" }, 20);
  const wanted = route.value.query.get("job");
  const shown = jobs.rows.filter((job) => !job.finished_at || (job.id === wanted && job.status === "failed"));
  const start = <a class="button primary" href={href("evaluation", "new")}>Start an evaluation</a>;
  return (
    <div class="page">
      <PageHead title="Evaluation" lead="How good models are, with marks and without, and where they go wrong.">
        <a class="button" href={href("evaluation", "look")}>Look inside a model</a>
        {start}
      </PageHead>
      {shown.length > 0 && <Panel title="Under way"><div class="stack" id="under-way">{shown.map((job) => <UnderWay key={job.id} ordered={job} wanted={job.id === wanted} onEnd={evaluations.reload} />)}</div></Panel>}
      {evaluations.problem && <CannotShow what="The evaluations" problem={evaluations.problem} again={evaluations.reload} />}
      {!evaluations.loading && !evaluations.problem && !evaluations.rows.length && !shown.length && <Empty title="No evaluations yet">A model is measured on drawings at once; put the files of a benchmark into the folder of MARKWISE_BENCHMARKS to use those.<p>{start}</p></Empty>}
      {evaluations.rows.length > 0 && <Panel><Table label="Evaluations" rows={evaluations.rows} columns={columnsOf(benchmarks.value?.data ?? [])} rowKey={(row) => row.id} /></Panel>}
      {evaluations.more && <p class="more"><button type="button" class="button" onClick={() => evaluations.next().catch(report)}>Older evaluations</button></p>}
    </div>
  );
}

/** The comparison where the evaluation holds one, else its own figures as a comparison of one. */
function sectionsOf(row: Evaluation, benchmarks: Benchmark[]): Section[] {
  if (row.report.comparison) return row.report.comparison;
  const chief = benchmarks.find(({ name }) => name === row.benchmark)?.chief;
  return chief && "worst" in row.report ? [{ benchmark: row.benchmark, chief, runs: [row.report as unknown as Section["runs"][number]] }] : [];
}

function EvaluationDetail({ id }: { id: string }) {
  const { value: row, problem, reload } = useGet<Evaluation>(`/v1/evaluations/${id}`);
  const benchmarks = useGet<{ data: Benchmark[] }>("/v1/benchmarks");
  if (problem) return <div class="page"><CannotShow what="This evaluation" problem={problem} again={reload}><a href={href("evaluation")}>All evaluations</a></CannotShow></div>;
  if (!row || !benchmarks.value) return <p class="loading" role="status">Loading</p>;
  const sections = sectionsOf(row, benchmarks.value.data);
  return (
    <div class="page" id="evaluation" data-id={row.id}>
      <PageHead title={sections.map(({ benchmark }) => benchmark).join(", ") || row.benchmark} lead={<><a href={href("evaluation")}>All evaluations</a> · finished <Ago time={row.created_at} /> · answers come from {row.report.source ?? "files"}</>}>
        <button type="button" class="button" onClick={() => attempt(() => download(`/v1/evaluations/${id}?format=html`, `evaluation-${id.slice(-6)}.html`))}>Take it away (HTML)</button>
        {row.model_version_id && <a class="button" href={href("models", row.model_version_id)}>The model</a>}
      </PageHead>
      {sections.map((section) => <SectionPanel key={section.benchmark} section={section} />)}
      {!sections.length && <Panel title="Metrics"><Facts rows={Object.entries(row.metrics).map(([name, value]) => [name, String(value)])} /></Panel>}
      <Panel title="How it was asked"><Facts rows={Object.entries(row.settings).filter(([, value]) => value !== null).map(([name, value]) => [name.replaceAll("_", " "), typeof value === "object" ? JSON.stringify(value) : String(value)])} /></Panel>
    </div>
  );
}

export default function EvaluationPage() {
  const { id } = route.value;
  if (id === "new") return <Start />;
  if (id === "look") return <Look />;
  return id ? <EvaluationDetail key={id} id={id} /> : <EvaluationList />;
}
