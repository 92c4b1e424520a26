// Datasets: the list, one of them with its samples and exports, and composing a new one.

import type { Dataset, Sample } from "../../api/learning";
import { download } from "../../api/http";
import { useGet } from "../../fetched";
import { usePaged } from "../../paged";
import { href, route } from "../../router";
import { attempt, report } from "../../ui/notices";
import { Ago, CannotShow, Empty, Facts, PageHead, Panel } from "../../ui/parts";
import { type Column, Table } from "../../ui/table";
import { Compose } from "./compose";
import { SampleCard } from "./sample";
import { StatisticsPanel } from "./statistics";
import "../../ui/forms.css";
import "./datasets.css";

const FORMATS: [string, string, string][] = [
  ["llava", "LLaVA JSON", "json"], ["jsonl", "JSON lines", "jsonl"], ["coco", "COCO", "json"], ["webdataset", "WebDataset", "tar"],
];

const COLUMNS: Column<Dataset>[] = [
  { key: "name", title: "Dataset", value: (row) => row.name, cell: (row) => <a href={href("datasets", row.id)}>{row.name}</a> },
  { key: "version", title: "Version", value: (row) => row.version, numeric: true },
  { key: "texts", title: "Texts", value: (row) => row.statistics.texts, numeric: true },
  { key: "images", title: "Pictures", value: (row) => row.statistics.images, numeric: true },
  { key: "tagged", title: "About marks", value: (row) => row.statistics.tagged, numeric: true },
  { key: "created", title: "Built", value: (row) => row.created_at, cell: (row) => <Ago time={row.created_at} /> },
];

function DatasetList() {
  const datasets = usePaged<Dataset>("/v1/datasets");
  const compose = <a class="button primary" href={href("datasets", "new")}>Compose a mixture</a>;
  return (
    <div class="page datasets">
      <PageHead title="Datasets" lead="Mixtures of texts, sealed: what a model was trained on can always be looked up.">{compose}</PageHead>
      {datasets.problem && <CannotShow what="The datasets" problem={datasets.problem} again={datasets.reload} />}
      {!datasets.loading && !datasets.problem && !datasets.rows.length && (
        <Empty title="No datasets yet">Have texts written about pictures (Gallery: select, then annotate), review some, and compose them into a mixture.<p>{compose}</p></Empty>
      )}
      {datasets.rows.length > 0 && <Panel><Table label="Datasets" rows={datasets.rows} columns={COLUMNS} rowKey={(row) => row.id} /></Panel>}
      {datasets.more && <p class="more"><button type="button" class="button" onClick={() => datasets.next().catch(report)}>Older datasets</button></p>}
    </div>
  );
}

function DatasetDetail({ id }: { id: string }) {
  const { value: dataset, problem, reload } = useGet<Dataset>(`/v1/datasets/${id}`);
  const samples = usePaged<Sample>(`/v1/datasets/${id}/texts`, {}, 12);
  if (problem) return <div class="page"><CannotShow what="This dataset" problem={problem} again={reload}><a href={href("datasets")}>All datasets</a></CannotShow></div>;
  if (!dataset) return <p class="loading" role="status">Loading</p>;
  return (
    <div class="page datasets" id="dataset" data-id={dataset.id}>
      <PageHead title={`${dataset.name}, version ${dataset.version}`} lead={<><a href={href("datasets")}>All datasets</a> · built <Ago time={dataset.created_at} /></>}>
        <a class="button" href={href("evaluation", "new", { dataset: id })}>Evaluate on it</a>
        <a class="button primary" href={href("training", "new", { dataset: id })}>Train on it</a>
      </PageHead>
      <div class="columns">
        <StatisticsPanel statistics={dataset.statistics} />
        <div class="stack">
          <Panel title="Take it away">
            <div class="row wrap" id="exports">
              {FORMATS.map(([format, words, ending]) => <button type="button" key={format} class="button" onClick={() => attempt(() => download(`/v1/datasets/${id}/export?format=${format}`, `${dataset.name}-${dataset.version}.${ending}`))}>{words}</button>)}
            </div>
            <p class="soft small">In slices and from scripts: <code>markwise dataset export {dataset.name}@{dataset.version}</code></p>
          </Panel>
          <Panel title="Made from">
            <Facts rows={[["Recipe", dataset.recipe.name], ["Purpose", dataset.recipe.purpose], ["Hash", <code key="hash">{dataset.content_sha256}</code>], ["Id", <code key="id">{dataset.id}</code>]]} />
            <details><summary>The whole recipe</summary><pre class="code" tabIndex={0}>{JSON.stringify(dataset.recipe, null, 2)}</pre></details>
          </Panel>
        </div>
      </div>
      <Panel title="Samples, in their order">
        <ul class="samples">{samples.rows.map((sample) => <SampleCard key={sample.position} sample={sample} />)}</ul>
        {samples.more && <p class="more"><button type="button" class="button small" onClick={() => samples.next().catch(report)}>More samples</button></p>}
      </Panel>
    </div>
  );
}

export default function DatasetsPage() {
  const { id } = route.value;
  if (id === "new") return <Compose />;
  return id ? <DatasetDetail key={id} id={id} /> : <DatasetList />;
}
