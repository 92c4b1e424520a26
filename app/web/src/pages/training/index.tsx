// Trainings: the list with several compared, one with its live curves, and starting a new one.

import { useState } from "preact/hooks";
import { post } from "../../api/http";
import type { OrderedJob } from "../../api/learning";
import { Problem } from "../../api/problem";
import { useGet } from "../../fetched";
import { usePaged } from "../../paged";
import { go, href, route } from "../../router";
import { Trouble } from "../../ui/forms";
import { attempt, report } from "../../ui/notices";
import { Ago, Badge, CannotShow, duration, Empty, Facts, PageHead, Panel } from "../../ui/parts";
import { ProgressBar } from "../../ui/progress";
import { type Column, Table } from "../../ui/table";
import { Compare } from "./compare";
import { Charts, Latest, useCurves } from "./curves";
import { Start } from "./start";
import { orderOf, titleOf } from "./words";
import "../../ui/forms.css";
import "./training.css";

/** More lines than this nobody can tell apart. */
const MOST_COMPARED = 5;

function seconds({ started_at: from, finished_at: to }: OrderedJob): number | null {
  return from && to ? (new Date(to).getTime() - new Date(from).getTime()) / 1000 : null;
}

function columnsOf(compared: string[], toggle: (id: string) => void): Column<OrderedJob>[] {
  return [
    { key: "compare", title: "", value: (row) => row.id, cell: (row) => <input type="checkbox" aria-label={`Compare ${titleOf(row)}`} checked={compared.includes(row.id)} disabled={!compared.includes(row.id) && compared.length >= MOST_COMPARED} onChange={() => toggle(row.id)} /> },
    { key: "name", title: "Training", value: (row) => titleOf(row), cell: (row) => <a href={href("training", row.id)}>{titleOf(row)}</a> },
    { key: "recipe", title: "Recipe", value: (row) => String(orderOf(row).recipe ?? "–") },
    { key: "status", title: "State", value: (row) => row.status, cell: (row) => <Badge>{row.status}</Badge> },
    { key: "percent", title: "Done", value: (row) => row.progress.percent, cell: (row) => `${Math.round(row.progress.percent)} %`, numeric: true },
    { key: "took", title: "Took", value: (row) => seconds(row), cell: (row) => { const took = seconds(row); return took === null ? "–" : duration(took); }, numeric: true },
    { key: "created", title: "Ordered", value: (row) => row.created_at, cell: (row) => <Ago time={row.created_at} /> },
  ];
}

function TrainingList() {
  const jobs = usePaged<OrderedJob>("/v1/jobs", { kind: "training.run", include: "order" });
  const compared = (route.value.query.get("compare") ?? "").split(",").filter(Boolean);
  const toggle = (id: string) => {
    const chosen = compared.includes(id) ? compared.filter((one) => one !== id) : [...compared, id];
    go(href("training", null, { compare: chosen.join(",") }), { replace: true });
  };
  const start = <a class="button primary" href={href("training", "new")}>Start a training</a>;
  const chosen = jobs.rows.filter(({ id }) => compared.includes(id));
  return (
    <div class="page">
      <PageHead title="Training" lead="What was taught, with which recipe, and how the loss went. Choose several to compare them.">{start}</PageHead>
      {jobs.problem && <CannotShow what="The trainings" problem={jobs.problem} again={jobs.reload} />}
      {!jobs.loading && !jobs.problem && !jobs.rows.length && <Empty title="No trainings yet">Seal a dataset and train a model on it, or let the small model draw its own pictures.<p>{start}</p></Empty>}
      {chosen.length > 0 && <Compare jobs={chosen} />}
      {jobs.rows.length > 0 && <Panel><Table label="Trainings" rows={jobs.rows} columns={columnsOf(compared, toggle)} rowKey={(row) => row.id} chosen={(row) => compared.includes(row.id)} /></Panel>}
      {jobs.more && <p class="more"><button type="button" class="button" onClick={() => jobs.next().catch(report)}>Older trainings</button></p>}
    </div>
  );
}

function Detail({ ordered, onChange }: { ordered: OrderedJob; onChange: () => void }) {
  const [asked, setAsked] = useState(false);
  const { curves, job } = useCurves(ordered, onChange);
  const tell = (what: "cancel" | "retry") => attempt(async () => {
    setAsked(true);
    await post(`/v1/jobs/${job.id}/${what}`);
    onChange();
  }).then(() => setAsked(false));
  const asks = Object.entries(orderOf(ordered)).filter(([name, value]) => value !== null && value !== false && name !== "dataset_id");
  const dataset = orderOf(ordered).dataset_id;
  const model = job.result?.model_version_id;
  const running = job.status === "queued" || job.status === "running";
  return (
    <div class="page" id="training" data-status={job.status}>
      <PageHead title={titleOf(ordered)} lead={<><a href={href("training")}>All trainings</a> · ordered <Ago time={job.created_at} /> · <a href={href("jobs", job.id)}>its log</a></>}>
        {running && <button type="button" class="button" disabled={asked} onClick={() => tell("cancel")}>Cancel</button>}
        {(job.status === "failed" || job.status === "cancelled") && <button type="button" class="button" disabled={asked} onClick={() => tell("retry")}>Go on</button>}
        {typeof model === "string" && <a class="button primary" href={href("models", model)}>Open the model</a>}
      </PageHead>
      <Panel>
        <div class="row"><Badge>{job.status}</Badge><span class="soft small">{[job.progress.stage, job.progress.total ? `step ${job.progress.done} of ${job.progress.total}` : null].filter(Boolean).join(" · ")}</span></div>
        <ProgressBar label="The training" percent={running && !job.progress.total ? null : job.status === "succeeded" ? 100 : job.progress.total ? (100 * job.progress.done) / job.progress.total : 0} tone={job.status === "failed" ? "bad" : undefined} />
        {job.status === "failed" && <Trouble problem={Problem.ofJob(job)} />}
        <Latest curves={curves} />
      </Panel>
      <Charts curves={curves} />
      {!curves.length && <p class="soft">{running ? "The first numbers come with the first steps." : "This training reported no numbers."}</p>}
      <Panel title="Asked for">
        <Facts rows={[...(typeof dataset === "string" ? [["dataset", <a key="dataset" href={href("datasets", dataset)}>{dataset}</a>] as [string, preact.ComponentChildren]] : []), ...asks.map(([name, value]) => [name.replaceAll("_", " "), String(value)] as [string, string])]} />
      </Panel>
    </div>
  );
}

function TrainingDetail({ id }: { id: string }) {
  const { value: job, problem, reload } = useGet<OrderedJob>(`/v1/jobs/${id}?include=order`);
  if (problem) return <div class="page"><CannotShow what="This training" problem={problem} again={reload}><a href={href("training")}>All trainings</a></CannotShow></div>;
  if (!job) return <p class="loading" role="status">Loading</p>;
  return <Detail key={`${job.status}${job.attempt}`} ordered={job} onChange={reload} />;
}

export default function TrainingPage() {
  const { id } = route.value;
  if (id === "new") return <Start />;
  return id ? <TrainingDetail key={id} id={id} /> : <TrainingList />;
}
