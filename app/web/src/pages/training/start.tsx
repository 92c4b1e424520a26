// Start a training: a recipe, what it learns from, what it starts from; the rest has the recipe's own numbers.

import { useState } from "preact/hooks";
import type { Dataset, Model, Recipe } from "../../api/learning";
import { post } from "../../api/http";
import { Problem } from "../../api/problem";
import type { Job } from "../../api/types";
import { useGet } from "../../fetched";
import { usePaged } from "../../paged";
import { go, href, route } from "../../router";
import { numberOf, Trouble } from "../../ui/forms";
import { Field, PageHead, Panel } from "../../ui/parts";
import { titleOf } from "../models/words";

export function Start() {
  const recipes = useGet<{ data: Recipe[] }>("/v1/recipes");
  const datasets = usePaged<Dataset>("/v1/datasets", {}, 200);
  const models = useGet<{ data: Model[] }>("/v1/models?limit=200");
  const [form, setForm] = useState<Record<string, string>>({ name: "som-llava", recipe: "finetune", dataset_id: route.value.query.get("dataset") ?? "", base: "som-llava-tiny", seed: "0" });
  const [lora, setLora] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const known = (recipes.value?.data ?? []).filter(({ object }) => object === "training_recipe");
  const recipe = known.find(({ name }) => name === form.recipe);
  const set = (name: string) => (event: { currentTarget: { value: string } }) => setForm((before) => ({ ...before, [name]: event.currentTarget.value }));
  const text = (name: string) => form[name] ?? "";
  const begin = async () => {
    setBusy(true);
    setProblem(null);
    const numbers = Object.fromEntries(["steps", "batch_size", "learning_rate", "budget_s"].map((name) => [name, numberOf(text(name))]).filter(([, value]) => value !== null));
    const body = {
      name: form.name, recipe: form.recipe, seed: numberOf(text("seed")) ?? 0, lora: lora && form.recipe === "finetune", ...numbers,
      ...(recipe?.needs === "dataset" ? { dataset_id: form.dataset_id || null, base: form.base } : {}),
      ...(form.licence ? { licence: form.licence } : {}),
    };
    try {
      const { body: job } = await post<Job>("/v1/trainings", body);
      go(href("training", job.id));
    } catch (error) {
      setProblem(Problem.of(error));
      setBusy(false);
    }
  };
  const bases = (models.value?.data ?? []).filter(({ kind }) => kind === "checkpoint" || kind === "adapter");
  return (
    <div class="page">
      <PageHead title="Start a training" lead={<a href={href("training")}>All trainings</a>} />
      <form class="stack" aria-label="The training" onSubmit={(event) => { event.preventDefault(); void begin(); }}>
        <Panel>
          <div class="fields">
            <Field label="Recipe"><select id="recipe" value={form.recipe} onChange={set("recipe")}>{known.map(({ name }) => <option key={name} value={name}>{name}</option>)}</select></Field>
            <Field label="Name of the model" hint="What comes out is its next version."><input type="text" id="name" required value={form.name} onInput={set("name")} /></Field>
            {recipe?.needs === "dataset" && (
              <>
                <Field label="Dataset"><select id="dataset" required value={form.dataset_id} onChange={set("dataset_id")}><option value="">choose one</option>{datasets.rows.map((one) => <option key={one.id} value={one.id}>{one.name}, version {one.version} ({one.statistics.texts} texts)</option>)}</select></Field>
                <Field label="Start from"><select value={form.base} onChange={set("base")}>{bases.map((one) => <option key={one.id} value={one.id}>{titleOf(one)}</option>)}</select></Field>
              </>
            )}
          </div>
          {recipe && <p class="soft small" id="purpose">{recipe.purpose}</p>}
          {recipe?.needs === "dataset" && !datasets.loading && !datasets.rows.length && <p class="small">There is no dataset yet: <a href={href("datasets", "new")}>compose one</a> first.</p>}
        </Panel>
        <Panel title="Numbers that differ from the recipe's">
          <div class="fields">
            <Field label="Steps"><input type="number" id="steps" min={1} placeholder="the recipe's" value={text("steps")} onInput={set("steps")} /></Field>
            <Field label="Batch size"><input type="number" min={1} placeholder="the recipe's" value={text("batch_size")} onInput={set("batch_size")} /></Field>
            <Field label="Learning rate"><input type="number" step="any" placeholder="the recipe's" value={text("learning_rate")} onInput={set("learning_rate")} /></Field>
            <Field label="At most, seconds"><input type="number" min={1} placeholder="no limit" value={text("budget_s")} onInput={set("budget_s")} /></Field>
            <Field label="Seed"><input type="number" value={text("seed")} onInput={set("seed")} /></Field>
            <Field label="Licence note" hint="Kept with the model."><input type="text" value={text("licence")} onInput={set("licence")} /></Field>
          </div>
          {form.recipe === "finetune" && <label class="check"><input type="checkbox" checked={lora} onChange={(event) => setLora(event.currentTarget.checked)} />Train a LoRA adapter instead of all weights</label>}
        </Panel>
        <Trouble problem={problem} />
        <div class="row"><button type="submit" class="button primary" id="begin" disabled={busy || !recipe}>Start the training</button></div>
      </form>
    </div>
  );
}
